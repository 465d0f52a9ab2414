import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** The folder of the git repository that a path is in; undefined where it is in none. */
export async function repositoryOf(path: string): Promise<string | undefined> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * What a repository is known by on any machine: where it was cloned from, without credentials; else the folder of its
 * objects, which its work trees share.
 */
export async function repositoryName(root: string): Promise<string> {
  const common = await gitFolder(root);
  const config = await readFile(join(common, 'config'), 'utf8').catch(() => '');
  const url = /\[remote "origin"\][^[]*?\burl\s*=\s*(\S+)/.exec(config)?.[1];
  return url?.replace(/^(\w+:\/\/)[^/@]*@/, '$1') ?? common;
}

async function gitFolder(root: string): Promise<string> {
  const git = join(root, '.git');
  const file = await readFile(git, 'utf8').catch(() => undefined);
  const named = file && /^gitdir: (.+)$/m.exec(file)?.[1];
  if (!named) return git;
  const folder = isAbsolute(named) ? named : resolve(root, named);
  const common = await readFile(join(folder, 'commondir'), 'utf8').catch(() => undefined);
  return common === undefined ? folder : resolve(folder, common.trim());
}
