import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Inputs } from './inputs.ts';
import { repositoryName, repositoryOf } from './repository.ts';

const PROJECT = /\.(cs|fs|vb)proj$/i;
/** What a path may end in that names an app. */
const ENDING = /\.((cs|fs|vb)proj|slnx?|cs)$/i;
const DOCKERFILE = /^(?:(.+)\.)?Dockerfile(?:\.(.+))?$/i;

/** Folders in which no sources of apps lie. */
const SKIPPED = new Set(['bin', 'obj', 'node_modules', 'artifacts', 'TestResults']);

/** No more folders of a repository are looked into for apps of the same name. */
const MOST_FOLDERS = 20_000;

/**
 * The app's name in reports, image tags and folders: the one that was given, else that of its project, Dockerfile's
 * folder or image; spelled as image names allow it. Where another app of the same repository would have the same name,
 * the folders above are part of it, as many as make it another.
 */
export async function appName({ name, source }: Pick<Inputs, 'name' | 'source'>): Promise<string> {
  if (name !== undefined) return spell(name);
  if (source.kind === 'image') return spell(repositoryOfImage(source.reference).split('/').at(-1)!);
  const path = resolve(source.path);
  const root = await rootOf(path);
  const words = source.kind === 'dockerfile' ? await wordsOfDockerfile(path) : wordsOf(path);
  const above = root === undefined ? [] : relative(root, dirname(path)).split(sep);
  const others = root === undefined ? [] : await otherApps(root, path, source.kind);
  return distinct(words, above, others);
}

/**
 * What tells an app from any other of its name: 12 hex digits that are the same on each machine that has its repository.
 * Outside of a repository they are of its path. Where the name was given, that alone counts: who gives it chooses.
 */
export async function sourceKey({ name, source }: Pick<Inputs, 'name' | 'source'>): Promise<string> {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
  if (name !== undefined) return digest(`name ${name}`);
  if (source.kind === 'image') return digest(`image ${repositoryOfImage(source.reference)}`);
  const path = resolve(source.path);
  const root = await repositoryOf(dirname(path));
  return digest(root === undefined ? path : `${await repositoryName(root)} ${relative(root, path)}`);
}

/** An app's name, word by word: the last ones are tried first. */
type Words = readonly string[];

/** The name of `words`, with as many folders above as make it differ from each of the others'. */
function distinct(words: Words, above: readonly string[], others: readonly { words: Words; above: string[] }[]) {
  const named = (own: Words, folders: readonly string[], depth: number) =>
    spell(unrepeated([...(depth === 0 ? [] : folders.slice(-depth)), ...own]).join('-'));
  const plain = named(words, above, 0);
  for (let depth = 0; depth <= above.length; depth++) {
    const name = named(words, above, depth);
    const isTaken = others.some((other) => {
      const its = named(other.words, other.above, 0);
      return name === (its === plain ? named(other.words, other.above, depth) : its);
    });
    if (!isTaken) return name;
  }
  const key = createHash('sha256')
    .update([...above, ...words].join('/'))
    .digest('hex');
  return `${spell(words.join('-'))}-${key.slice(0, 6)}`;
}

/** `Api/Api` says it twice. */
function unrepeated(words: readonly string[]): string[] {
  return words.filter((word, index) => word !== '' && (index === 0 || spell(word) !== spell(words[index - 1]!)));
}

function wordsOf(path: string): Words {
  return [basename(path).replace(ENDING, '')];
}

/** Its folder's name; where there are several in it, also what tells this one from them (`Dockerfile.worker`). */
async function wordsOfDockerfile(path: string): Promise<Words> {
  const folder = basename(dirname(path));
  const [, before, behind] = DOCKERFILE.exec(basename(path)) ?? [];
  const beside = (await readdir(dirname(path)).catch(() => [])).filter((name) => DOCKERFILE.test(name));
  const own = before ?? behind;
  return beside.length > 1 && own !== undefined ? [folder, own] : [folder];
}

/** Where other apps of the run may lie: the repository, or the working folder outside of one. */
async function rootOf(path: string): Promise<string | undefined> {
  const working = resolve('.');
  const inWorking = path.startsWith(working + sep) && working !== sep;
  return (await repositoryOf(dirname(path))) ?? (inWorking ? working : undefined);
}

/** Names that the other apps below `root` have, or would have if they were named by their folder. */
async function otherApps(root: string, path: string, kind: 'project' | 'dockerfile') {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const isSame = (file: string) => file === path || (isFolder && file.startsWith(path + sep));
  const found: { words: Words; above: string[] }[] = [];
  for (const file of await filesBelow(root, kind === 'project' ? PROJECT : DOCKERFILE)) {
    if (isSame(file)) continue;
    // The project in the folder of a solution or program is the app itself, or is named by its own file.
    const above = (place: string) => relative(root, dirname(place)).split(sep);
    if (kind === 'dockerfile') found.push({ words: await wordsOfDockerfile(file), above: above(file) });
    else if (isFolder) found.push({ words: wordsOf(dirname(file)), above: above(dirname(file)) });
    else found.push({ words: wordsOf(file), above: above(file) });
  }
  return found;
}

async function filesBelow(root: string, pattern: RegExp): Promise<string[]> {
  const [files, folders] = [[] as string[], [root]];
  for (let index = 0; index < folders.length && index < MOST_FOLDERS; index++) {
    const folder = folders[index]!;
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (entry.isFile() && pattern.test(entry.name)) files.push(join(folder, entry.name));
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.'))
        folders.push(join(folder, entry.name));
    }
  }
  return files;
}

/** `registry.example:5000/shop/api` of `registry.example:5000/shop/api:1`. */
function repositoryOfImage(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}

function spell(name: string): string {
  const allowed = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return allowed || 'app';
}
