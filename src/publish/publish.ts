import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Run } from '../exec.ts';
import { locked } from '../lock.ts';
import type { Log } from '../log.ts';
import type { PublishedApp, Source } from '../model/index.ts';
import { repositoryOf } from '../repository.ts';
import { dotnet } from './dotnet.ts';
import { failureOf, withoutCredentials } from './failure.ts';
import { findProject } from './find.ts';
import { requireHooksPublished } from './loads.ts';
import { defaultsFor, readProject } from './project.ts';

/** Runs `dotnet publish` into `directory`, which is emptied first. Throws DS1001 to DS1003, DS1006, DS2002, DS2003, DS3012. */
export async function publish(
  source: Extract<Source, { kind: 'project' }>,
  directory: string,
  { run, log }: { run: Run; log: Log },
): Promise<PublishedApp> {
  const file = await findProject(source.path, run);
  const project = await readProject(run, file, source);
  log.info(`publishing ${project.assembly} (${project.targetFramework})`);
  await rm(directory, { recursive: true, force: true });
  const argv = [
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
    ...defaultsFor(file),
    ...source.publishArguments,
  ];
  // Apps of one repository build the same libraries, into the same folders.
  const tree = (await repositoryOf(file)) ?? dirname(file);
  const result = await locked(`publish ${tree}`, `it publishes an app of ${tree}`, log, () =>
    dotnet(run, argv, { cwd: dirname(file), onLine: (line) => log.debug(withoutCredentials(line)) }),
  );
  if (result.code !== 0) throw failureOf(project.file, result);
  const { assembly, selfContained } = await programIn(directory, project);
  await requireHooksPublished(directory, assembly);
  return {
    project: project.file,
    directory,
    assembly,
    targetFramework: project.targetFramework,
    selfContained,
    command: selfContained ? [`./${assembly}`] : ['dotnet', `${assembly}.dll`],
    digest: await digestOf(directory),
  };
}

/** What was published: arguments and publish profiles may have changed its name and its form. Throws DS2002. */
async function programIn(
  directory: string,
  { file, assembly }: { file: string; assembly: string },
): Promise<Pick<PublishedApp, 'assembly' | 'selfContained'>> {
  const has = (name: string) => existsSync(join(directory, name));
  const names = (await readdir(directory)).sort();
  const configured = names.flatMap((name) => /^(.+)\.runtimeconfig\.json$/.exec(name)?.[1] ?? []);
  const known = has(`${assembly}.dll`) || has(assembly) || configured.length !== 1 ? assembly : configured[0]!;
  if (!has(`${known}.dll`) && !has(known))
    throw new SnapshotError('DS2002', `dotnet publish of ${file} wrote neither ${known}.dll nor ${known}.`, {
      fix: 'Publish for Linux, under the name that the project has (AssemblyName); see the files that were written.',
      detail: names.slice(0, 20).join('\n'),
    });
  // A bundled runtime tells that it is started by itself, and so does a program without an assembly: a single file.
  return { assembly: known, selfContained: has('libcoreclr.so') || !has(`${known}.dll`) };
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
