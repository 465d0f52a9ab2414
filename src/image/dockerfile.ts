import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import { tail } from '../engine/text.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AppImage, Source } from '../model/index.ts';
import { describe, type ImageOptions } from './app.ts';

type Dockerfile = Extract<Source, { kind: 'dockerfile' }>;

/** Builds the user's own Dockerfile. Throws DS1001, DS2004, DS3006. */
export async function imageFromDockerfile(
  source: Dockerfile,
  options: ImageOptions,
  { docker, log }: { docker: Docker; log: Log },
): Promise<AppImage> {
  const context = await requireContext(source);
  if (source.secrets.length > 0 && !(await docker.hasBuildKit()))
    throw new SnapshotError('DS2004', 'Secrets of a Dockerfile need BuildKit, which `docker` has no component for.', {
      fix: 'Install the component buildx: `docker buildx version` must run.',
    });
  const { tag, label } = options;
  await docker.build(context, {
    dockerfile: source.path,
    tag,
    flags: ['--label', label, ...buildFlags(source)],
    onLine: (line) => log.debug(line),
    explain: (output) => missingSource(output, source.path, context),
  });
  return describe(await docker.requireImage(tag), options, log);
}

/** The flags of `docker build` for what a Dockerfile is built with. */
export function buildFlags({ buildArguments, target, secrets, platform }: Dockerfile): string[] {
  return [
    ...Object.entries(buildArguments).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...(target === undefined ? [] : ['--target', target]),
    ...secrets.flatMap((secret) => ['--secret', secret]),
    ...(platform === undefined ? [] : ['--platform', platform]),
  ];
}

async function requireContext({ path, context = dirname(path) }: Dockerfile): Promise<string> {
  if (!(await stat(path).catch(() => undefined))?.isFile())
    throw new SnapshotError('DS1001', `There is no Dockerfile ${path}.`, {
      fix: 'Name the file itself, for instance --dockerfile src/Api/Dockerfile.',
    });
  if (!(await stat(context).catch(() => undefined))?.isDirectory())
    throw new SnapshotError('DS1001', `There is no folder ${context} to be the context of ${path}.`, {
      fix: 'Name the folder that COPY in the Dockerfile starts from, for instance --context .',
    });
  return context;
}

/** How either builder says that it does not find what COPY or ADD names; the older one for a glob without naming it. */
const NOT_FOUND = [
  /"([^"\n]+)": not found/,
  /failed to compute cache key: .*?buildkit-mount\d+\/(.+?): no such file or directory/,
  /(?:COPY|ADD) failed: [^\n]*?\bstat (.+?): (?:file does not exist|no such file or directory)/,
  /(?:COPY|ADD) failed: forbidden path outside the build context: (\S+)/,
  /(?:COPY|ADD) failed: no source files were specified()/,
];

/**
 * The error for a COPY of something that the context does not have: which context that was, and which folder above it
 * would do. Dockerfiles of Visual Studio lie in the folder of the project and count on that of the solution.
 */
async function missingSource(output: string, dockerfile: string, context: string): Promise<SnapshotError | undefined> {
  const found = NOT_FOUND.map((pattern) => pattern.exec(output)).find((match) => match !== null);
  const instruction = /^ *\d+ \| >>> *(.+)$/m.exec(output)?.[1] ?? output.match(/^Step \d+\/\d+ : .*$/gm)?.at(-1) ?? '';
  // What COPY --from does not find is not of the context.
  if (!found || /--from=/.test(instruction)) return undefined;
  const missing = plain(found[1]!);
  // The builder may name only the first folder of the path that is not there.
  const words = instruction.split(/[\s"',[\]]+/);
  const source = words.find((word) => plain(word) === missing || plain(word).startsWith(`${missing}/`)) ?? missing;
  const where = `the context ${resolve(context)}`;
  const refuse = (cause: string, fix: string) =>
    new SnapshotError('DS2004', `${dockerfile} copies ${cause}`, { fix, detail: tail(output, 25) });
  if (source.startsWith('../'))
    return refuse(
      `${source}, which lies outside of ${where}.`,
      'Write the path as it is from a folder above both, and name that folder: --context FOLDER.',
    );
  const path = plain(source);
  if (path !== '' && existsSync(join(context, path)))
    return refuse(`${path}, which .dockerignore keeps out of ${where}.`, `Let .dockerignore pass ${path}.`);
  const other = path === '' ? undefined : folderAbove(context, path);
  return refuse(
    `${path || 'something'}, which is not in ${where}.`,
    other === undefined
      ? 'Correct the path, or name the folder that COPY starts from: --context FOLDER.'
      : `Build in the folder that has it: --context ${shownPath(other)}.`,
  );
}

/** A path of COPY as it is below the context. */
function plain(path: string): string {
  return path.replace(/^(?:\.{0,2}\/+)+/, '').replace(/\/+$/, '');
}

/** The nearest folder above `context` that holds `path`. */
function folderAbove(context: string, path: string): string | undefined {
  for (let folder = dirname(resolve(context)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function shownPath(folder: string): string {
  const path = relative(resolve('.'), folder);
  return path === '' ? '.' : path.startsWith('..') ? folder : path;
}
