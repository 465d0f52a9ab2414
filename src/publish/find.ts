import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Run } from '../exec.ts';
import { dotnet } from './dotnet.ts';
import { isApp, isWebApp, readProperties } from './project.ts';

const PROJECT = /\.(cs|fs|vb)proj$/i;
const SOLUTION = /\.slnx?$/i;
const PROGRAM = /\.cs$/i;

/** How many projects of a solution are evaluated at once. */
const AT_ONCE = 4;

/**
 * The project file, or the program of one file (`app.cs`), that a path means: the file itself, the only project or the
 * only solution in a folder, and of a solution the only app in it. An absolute path. Throws DS1002, DS1003.
 */
export async function findProject(path: string, run: Run): Promise<string> {
  const full = resolve(path);
  const info = await stat(full).catch(() => undefined);
  if (!info) throw new SnapshotError('DS1002', `There is no file or folder ${path}.`);
  if (info.isDirectory()) return findIn(full, path, run);
  if (SOLUTION.test(full)) return appOf(full, run);
  if (PROJECT.test(full) || PROGRAM.test(full)) return full;
  throw new SnapshotError('DS1002', `${path} is no .NET project, solution or C# program.`, {
    fix: 'Name a .csproj, .fsproj, .vbproj, .sln, .slnx or .cs file; for a Dockerfile use --dockerfile.',
  });
}

async function findIn(folder: string, shown: string, run: Run): Promise<string> {
  const names = (await readdir(folder)).sort();
  const projects = names.filter((name) => PROJECT.test(name));
  if (projects.length === 1) return join(folder, projects[0]!);
  if (projects.length > 1)
    throw new SnapshotError('DS1003', `The folder ${shown} holds ${projects.length} projects: ${projects.join(', ')}.`);
  const solutions = names.filter((name) => SOLUTION.test(name));
  if (solutions.length === 1) return appOf(join(folder, solutions[0]!), run);
  if (solutions.length > 1)
    throw new SnapshotError(
      'DS1003',
      `The folder ${shown} holds ${solutions.length} solutions: ${solutions.join(', ')}.`,
      { fix: 'Name the project file, or one of the solutions.' },
    );
  const programs = names.filter((name) => PROGRAM.test(name));
  throw new SnapshotError('DS1002', `The folder ${shown} holds no .NET project and no solution.`, {
    fix:
      programs.length === 1
        ? `Name the project file, or the program itself: --project ${join(shown, programs[0]!)}.`
        : 'Name the project file: --project path/to/App.csproj.',
  });
}

/** The one web app of a solution, or its one app where none is for the web. Test projects are none. */
async function appOf(solution: string, run: Run): Promise<string> {
  const projects = await projectsOf(solution, run);
  const apps: { file: string; web: boolean }[] = [];
  for (let from = 0; from < projects.length; from += AT_ONCE)
    await Promise.all(
      projects.slice(from, from + AT_ONCE).map(async (file) => {
        const properties = await readProperties(run, file);
        if (isApp(properties)) apps.push({ file, web: isWebApp(properties) });
      }),
    );
  const web = apps.filter((app) => app.web);
  const found = (web.length > 0 ? web : apps).map(({ file }) => file).sort();
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new SnapshotError('DS1006', `No project of ${solution} builds an app that can be started.`);
  throw new SnapshotError('DS1003', `${solution} holds ${found.length} apps: ${found.join(', ')}.`, {
    fix: `Name the project of one: --project ${found[0]}.`,
  });
}

async function projectsOf(solution: string, run: Run): Promise<string[]> {
  const { code, stdout, stderr } = await dotnet(run, ['sln', solution, 'list'], { cwd: dirname(solution) });
  if (code !== 0)
    throw new SnapshotError('DS2002', `dotnet can't read the solution ${solution}.`, { detail: `${stdout}${stderr}` });
  return stdout
    .split('\n')
    .map((line) => line.trim().replaceAll('\\', '/'))
    .filter((line) => PROJECT.test(line))
    .map((line) => resolve(dirname(solution), line));
}
