import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Run } from '../exec.ts';
import type { Log } from '../log.ts';
import type { PublishedApp, Source } from '../model/index.ts';
import { findProject, readProject } from './project.ts';

/** Runs `dotnet publish` into `directory`, which is emptied first. Throws DS1002, DS1003, DS1006, DS2002, DS2003. */
export async function publish(
  source: Extract<Source, { kind: 'project' }>,
  directory: string,
  { run, log }: { run: Run; log: Log },
): Promise<PublishedApp> {
  const project = await readProject(run, await findProject(source.path), source.framework);
  log.info(`publishing ${project.assembly} (${project.targetFramework})`);
  await rm(directory, { recursive: true, force: true });
  const result = await run(
    [
      'dotnet',
      'publish',
      project.file,
      '--nologo',
      '--configuration',
      'Release',
      '--framework',
      project.targetFramework,
      '--output',
      directory,
      // Paths of the build machine in the assemblies would make every checkout's digest another.
      '-property:ContinuousIntegrationBuild=true',
      ...source.publishArguments,
    ],
    { onLine: (line) => log.debug(line) },
  );
  if (result.code !== 0) {
    const lines = [...new Set(result.stdout.split('\n').filter((line) => /\berror\b/i.test(line)))];
    throw new SnapshotError('DS2002', `dotnet publish failed for ${project.file}.`, {
      detail: lines.slice(0, 20).join('\n') || `${result.stdout}${result.stderr}`,
    });
  }
  // Self-contained may have been asked for on the command line only: the bundled runtime tells.
  const selfContained =
    existsSync(join(directory, 'libcoreclr.so')) || !existsSync(join(directory, `${project.assembly}.dll`));
  return {
    directory,
    assembly: project.assembly,
    targetFramework: project.targetFramework,
    selfContained,
    command: selfContained ? [`./${project.assembly}`] : ['dotnet', `${project.assembly}.dll`],
    digest: await digestOf(directory),
  };
}

/** `sha256:` and hex over the sorted relative names and contents of a folder's files. */
export async function digestOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    const content = await readFile(file);
    hash.update(`${relative(directory, file)}\0${content.length}\0`).update(content);
  }
  return `sha256:${hash.digest('hex')}`;
}
