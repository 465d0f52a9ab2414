import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { SnapshotError } from '../../src/errors.ts';
import { imageFromPublished } from '../../src/image/app.ts';
import { sourceLabel } from '../../src/image/names.ts';
import { publish } from '../../src/publish/publish.ts';
import { OUT, ROOT, tools } from './machine.ts';

/** An app that is benchmarked. */
export interface App {
  name: string;
  /** Project folder below the repository. */
  project: string;
  /** Published with its own runtime: for frameworks that the base image does not have. */
  selfContained?: boolean;
}

/** One way to publish an app. */
export interface Variant {
  name: string;
  /** How the tables call it. */
  title: string;
  publishArguments: (app: App) => string[];
}

/** One base for all, so that only the app differs. */
export const BASE_IMAGE = 'mcr.microsoft.com/dotnet/aspnet:10.0';

const TAG = 'dotnet-snapshot-bench';
const SELF_CONTAINED = ['--runtime', 'linux-x64', '--self-contained', 'true'];
const FRAMEWORK_DEPENDENT = ['--runtime', 'linux-x64', '--self-contained', 'false'];
const runtimeOf = ({ selfContained }: App) => (selfContained ? SELF_CONTAINED : FRAMEWORK_DEPENDENT);

export const JIT: Variant = { name: 'jit', title: 'JIT', publishArguments: runtimeOf };

/** What users would pick instead of a snapshot, slowest first. */
export const VARIANTS: readonly Variant[] = [
  JIT,
  {
    name: 'r2r',
    title: 'ReadyToRun',
    publishArguments: (app) => [...runtimeOf(app), '-property:PublishReadyToRun=true'],
  },
  {
    name: 'composite',
    title: 'ReadyToRun composite, self-contained',
    publishArguments: () => [
      ...SELF_CONTAINED,
      '-property:PublishReadyToRun=true',
      '-property:PublishReadyToRunComposite=true',
    ],
  },
  {
    name: 'aot',
    title: 'NativeAOT',
    // Trimming warns about code that this variant can't run; whether the app answers is seen when it is started.
    publishArguments: () => [
      '--runtime',
      'linux-x64',
      '-property:PublishAot=true',
      '-property:TreatWarningsAsErrors=false',
      ...(existsOnPath('clang') ? [] : ['-property:CppCompilerAndLinker=gcc']),
    ],
  },
];

/** The tag of an app's variant. */
export function imageOf(app: Pick<App, 'name'>, variant: string): string {
  return `${TAG}/${app.name}:${variant}`;
}

/**
 * Publishes one variant and makes its image; one whose sources and arguments have not changed is not built again.
 * Throws DS2002 where it can't be published.
 */
export async function buildVariant(app: App, variant: Variant): Promise<void> {
  if (variant.name === 'aot') requireNativeToolchain();
  const tag = imageOf(app, variant.name);
  const publishArguments = variant.publishArguments(app);
  const folder = join(OUT, 'publish', `${app.name}-${variant.name}`);
  await unlessBuilt(tag, [await digestOfProject(app), ...publishArguments], async () => {
    // Intermediate files of their own: another runtime identifier would spoil those of the developer's builds.
    const options = ['--artifacts-path', join(folder, 'artifacts'), ...publishArguments];
    const source = { kind: 'project' as const, path: join(ROOT, app.project), publishArguments: options };
    const published = await publish(source, join(folder, 'app'), tools);
    await imageFromPublished(published, { tag, shown: tag, label: sourceLabel('bench'), baseImage: BASE_IMAGE }, tools);
  });
}

/** Warms and checkpoints an image of {@link buildVariant} by the command line's `build`; the report is left in OUT. */
export async function buildRestored(
  name: string,
  from: string,
  tag: string,
  traffic: string,
  flags: readonly string[] = [],
): Promise<void> {
  const words = ['--image', from, '--name', name, '--traffic', join(ROOT, traffic), '--tag', tag];
  const command = [process.execPath, join(ROOT, 'src/cli.ts'), 'build', ...words, '--ready-path', '/healthz'];
  const result = await tools.run([...command, '--output', join(OUT, name), ...flags]);
  if (result.code === 0) return;
  const reason = /^DS\d+: .*/m.exec(result.stderr)?.[0] ?? `exit code ${result.code}`;
  throw new Error(`${name} has no snapshot: ${reason}\n${result.stderr}`);
}

/** The image of a static program that answers at once. */
export async function buildFloor(): Promise<string> {
  const tag = imageOf({ name: 'floor' }, 'static');
  const folder = join(ROOT, 'bench/apps/floor');
  await unlessBuilt(tag, [await digestOfFiles(folder)], async () => {
    const argv = ['docker', 'build', '--quiet', '--build-arg', `BASE=${BASE_IMAGE}`, '--tag', tag, folder];
    const buildKit = (await tools.run(['docker', 'buildx', 'version'])).code === 0;
    const result = await tools.run(argv, { env: { DOCKER_BUILDKIT: buildKit ? '1' : '0' } });
    if (result.code !== 0) throw new SnapshotError('DS2004', 'The floor can’t be built.', { detail: result.stderr });
  });
  return tag;
}

/** Calls `build` unless the image of that tag is the one that it made from the same `ingredients`. */
async function unlessBuilt(tag: string, ingredients: string[], build: () => Promise<void>): Promise<void> {
  const state = join(OUT, 'variants.json');
  const known: Record<string, { ingredients: string; image: string }> = existsSync(state)
    ? JSON.parse(await readFile(state, 'utf8'))
    : {};
  const digest = createHash('sha256').update(JSON.stringify(ingredients)).digest('hex');
  const present = await tools.docker.image(tag);
  if (present && known[tag]?.ingredients === digest && known[tag]?.image === present.id) return;
  await tools.log.group(`building ${tag}`, build);
  known[tag] = { ingredients: digest, image: (await tools.docker.requireImage(tag)).id };
  await mkdir(OUT, { recursive: true });
  await writeFile(state, JSON.stringify(known, null, 2));
}

/** The app's own sources and the package that the samples refer to. */
async function digestOfProject({ project }: App): Promise<string> {
  return (await digestOfFiles(join(ROOT, project))) + (await digestOfFiles(join(ROOT, 'runtime/package')));
}

async function digestOfFiles(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !/[/\\](bin|obj)([/\\]|$)/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(`${relative(folder, file)}\0`).update(await readFile(file));
  return hash.digest('hex');
}

function requireNativeToolchain(): void {
  const missing = [
    ...(existsOnPath('clang') || existsOnPath('gcc') ? [] : ['clang (or gcc)']),
    ...(existsSync('/usr/include/zlib.h') ? [] : ['zlib1g-dev']),
  ];
  if (missing.length > 0) throw new Error(`NativeAOT needs ${missing.join(' and ')} on this machine`);
}

function existsOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

/** Builds a sample and its restore-ready image, without measuring it; the snapshot is left in {@link OUT}. */
export async function buildSample(name: string): Promise<void> {
  const app = { name, project: `samples/${name}` };
  await buildVariant(app, JIT);
  const flags = ['--pairs', '1', '--clones', '1'];
  const traffic = `samples/${name}/traffic.yaml`;
  await tools.log.group(`building ${name}`, () =>
    buildRestored(name, imageOf(app, JIT.name), imageOf(app, 'restored'), traffic, flags),
  );
}
