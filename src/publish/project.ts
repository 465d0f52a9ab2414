import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Run } from '../exec.ts';

/** What MSBuild says of a project. */
export interface Project {
  file: string;
  assembly: string;
  targetFramework: string;
  selfContained: boolean;
}

const PROPERTIES = [
  'TargetFramework',
  'TargetFrameworks',
  'AssemblyName',
  'OutputType',
  'SelfContained',
  'IsTestProject',
] as const;

/** The project file that a path means: the file itself, or the only one in a folder. Throws DS1002 or DS1003. */
export async function findProject(path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new SnapshotError('DS1002', `There is no file or folder ${path}.`);
  if (info.isFile()) return path;
  const projects = (await readdir(path)).filter((name) => /\.(cs|fs|vb)proj$/.test(name)).sort();
  if (projects.length === 0) throw new SnapshotError('DS1002', `The folder ${path} holds no .NET project.`);
  if (projects.length > 1)
    throw new SnapshotError('DS1003', `The folder ${path} holds ${projects.length} projects: ${projects.join(', ')}.`);
  return join(path, projects[0]!);
}

/** Asks MSBuild what the project is. Throws DS2003 without an SDK, DS2002 where MSBuild can't read it, DS1006 for a library. */
export async function readProject(run: Run, file: string, framework?: string): Promise<Project> {
  const select = framework === undefined ? [] : [`-property:TargetFramework=${framework}`];
  const queries = PROPERTIES.map((name) => `-getProperty:${name}`);
  const result = await run([
    'dotnet',
    'msbuild',
    file,
    '-nologo',
    '-property:Configuration=Release',
    ...select,
    ...queries,
  ]).catch(() => {
    throw new SnapshotError('DS2003', 'There is no `dotnet` command on this machine.');
  });
  if (result.code !== 0)
    throw new SnapshotError('DS2002', `MSBuild can't read ${file}.`, { detail: `${result.stdout}${result.stderr}` });
  const { Properties: properties } = JSON.parse(result.stdout) as {
    Properties: Record<(typeof PROPERTIES)[number], string>;
  };
  if (!properties.TargetFramework)
    throw new SnapshotError('DS1001', `${file} has several target frameworks: ${properties.TargetFrameworks}.`, {
      fix: 'Choose one with --framework, for instance --framework net10.0.',
    });
  if (properties.OutputType !== 'Exe' || properties.IsTestProject === 'true')
    throw new SnapshotError('DS1006', `${file} does not build an app that can be started.`);
  return {
    file,
    assembly: properties.AssemblyName,
    targetFramework: properties.TargetFramework,
    selfContained: properties.SelfContained === 'true',
  };
}
