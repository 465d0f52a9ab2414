import { dirname } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Run } from '../exec.ts';
import { dotnet } from './dotnet.ts';
import { withoutCredentials } from './failure.ts';
import { requireHooks } from './loads.ts';

/** What MSBuild says of a project. */
export interface Project {
  /** Absolute path. */
  file: string;
  assembly: string;
  targetFramework: string;
}

const PROPERTIES = [
  'TargetFramework',
  'TargetFrameworks',
  'AssemblyName',
  'OutputType',
  'IsTestProject',
  'UsingMicrosoftNETSdkWeb',
  'PublishAot',
  'PublishTrimmed',
  'StartupHookSupport',
] as const;

/** What {@link readProperties} reads. */
export interface ProjectProperties extends Record<(typeof PROPERTIES)[number], string> {
  /** Names of the packages that the project refers to. */
  packages: string[];
}

/** Packages by which a project is one of tests, before a restore has brought what says so. */
const TEST_PACKAGES = /^(Microsoft\.NET\.Test\.Sdk|xunit\.v3(\..+)?|MSTest(\.Sdk)?|TUnit)$/i;

/** Whether a project builds a program that is no test. */
export function isApp({ OutputType, IsTestProject, packages }: ProjectProperties): boolean {
  return /^exe$/i.test(OutputType) && !isTrue(IsTestProject) && !packages.some((name) => TEST_PACKAGES.test(name));
}

/** Whether a project is made with the SDK for the web. */
export function isWebApp({ UsingMicrosoftNETSdkWeb }: ProjectProperties): boolean {
  return isTrue(UsingMicrosoftNETSdkWeb);
}

/**
 * Asks MSBuild what the project is, under the properties that it will be published with. Throws DS1001 where the
 * framework must be chosen, DS2003 without an SDK, DS2002 where MSBuild can't read it, DS1006 for a library,
 * DS3012 for an app that could not load the companion.
 */
export async function readProject(
  run: Run,
  file: string,
  { framework, publishArguments = [] }: { framework?: string; publishArguments?: readonly string[] } = {},
): Promise<Project> {
  const switches = [
    ...defaultsFor(file),
    ...publishArguments.filter((argument) => /^(-{1,2}|\/)(p|property):/i.test(argument)),
  ];
  const all = await readProperties(run, file, switches);
  const frameworks = all.TargetFrameworks.split(';').flatMap((name) => name.trim() || []);
  const chosen = framework ?? (all.TargetFramework || (frameworks.length === 1 ? frameworks[0] : undefined));
  if (chosen === undefined)
    throw new SnapshotError('DS1001', `${file} has several target frameworks: ${frameworks.join(', ') || 'none'}.`, {
      fix: `Choose one with --framework, for instance --framework ${frameworks.at(-1) ?? 'net10.0'}.`,
    });
  if (frameworks.length > 0 && !frameworks.includes(chosen))
    throw new SnapshotError('DS1001', `${file} is not for ${chosen}, but for ${frameworks.join(', ')}.`, {
      fix: `Choose one of them with --framework, for instance --framework ${frameworks.at(-1)}.`,
    });
  const properties =
    chosen === all.TargetFramework
      ? all
      : await readProperties(run, file, [...switches, `-property:TargetFramework=${chosen}`]);
  if (!isApp(properties)) throw new SnapshotError('DS1006', `${file} does not build an app that can be started.`);
  requireHooks(file, chosen, properties);
  return { file, assembly: properties.AssemblyName, targetFramework: chosen };
}

/** What a program of one file is published with; its own default is native code, which can't be checkpointed. */
export function defaultsFor(file: string): string[] {
  return /\.cs$/i.test(file) ? ['-property:PublishAot=false'] : [];
}

/** Evaluates a project, or a program of one file, as a release. Throws DS2002, DS2003. */
export async function readProperties(
  run: Run,
  file: string,
  switches: readonly string[] = [],
): Promise<ProjectProperties> {
  const queries = [...PROPERTIES.map((name) => `-getProperty:${name}`), '-getItem:PackageReference'];
  // `dotnet msbuild` knows no programs of one file; `dotnet build` with a query evaluates and builds nothing.
  const command = /\.cs$/i.test(file) ? 'build' : 'msbuild';
  const result = await dotnet(
    run,
    [command, file, '-nologo', '-property:Configuration=Release', ...switches, ...queries],
    { cwd: dirname(file) },
  );
  const answer = result.code === 0 ? jsonIn(result.stdout) : undefined;
  if (!answer)
    throw new SnapshotError('DS2002', `MSBuild can't read ${file}.`, {
      detail: withoutCredentials(`${result.stdout}${result.stderr}`),
    });
  const { Properties: properties, Items: items } = answer as {
    Properties: Record<(typeof PROPERTIES)[number], string>;
    Items?: { PackageReference?: { Identity: string }[] };
  };
  return { ...properties, packages: (items?.PackageReference ?? []).map(({ Identity }) => Identity) };
}

/** The JSON object in what MSBuild prints; warnings and welcomes can stand before and behind it. */
function jsonIn(text: string): unknown {
  const lines = text.split(/\r?\n/);
  for (const [first, line] of lines.entries()) {
    if (line !== '{') continue;
    const last = lines.indexOf('}', first);
    try {
      return JSON.parse(lines.slice(first, last + 1).join('\n'));
    } catch {
      // A brace in the text before it.
    }
  }
  return undefined;
}

function isTrue(value: string): boolean {
  return /^true$/i.test(value);
}
