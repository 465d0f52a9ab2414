import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import { SnapshotError } from '../errors.ts';
import type { Run } from '../exec.ts';
import { locked } from '../lock.ts';
import type { Log } from '../log.ts';
import type { FolderCache, RuntimeBundle } from '../model/index.ts';
import { keepBundle, loadBundle } from './bundleCache.ts';
import { setImageModes } from './modes.ts';

/** Where the bundle lies in every image that holds it. */
export const PREFIX = '/opt/dotnet-snapshot';
export const LAUNCHER = `${PREFIX}/bin/launcher`;
/** Only in containers that are checkpointed. */
export const CRIU = `${PREFIX}/build/criu`;
/** What CRIU's image files hold, as a FileDescriptorSet of Protocol Buffers: made from the source that CRIU is built from. */
export const IMAGE_DESCRIPTORS = `${PREFIX}/build/images.desc`;

/** The programs of a container that is checkpointed or cloned, as {@link Control} asks them. */
export const PROGRAMS = { launcher: LAUNCHER, criu: CRIU };

/** Lines in which either builder of Docker names the step it begins. */
const STEP = /^(Step \d+|#\d+ \[)/;

/** Parts of runtime/ that the bundle is built from. */
const INGREDIENTS = ['Dockerfile', 'launcher', 'restorer', 'companion', 'criu'];

/**
 * The runtime bundle as an image on this engine, taken from the cache or built where it is not there yet; its tag is
 * the digest of what it is built from. `directory` is this project's runtime folder. Throws DS2008 where it can't be
 * built.
 */
export async function ensureRuntime(
  directory: string,
  tools: { docker: Docker; run: Run; log: Log; bundleCache?: FolderCache },
): Promise<RuntimeBundle> {
  const { docker, run, log, bundleCache } = tools;
  const reference = `dotnet-snapshot/runtime:${await digestOfIngredients(directory)}`;
  if (await docker.image(reference)) return { reference };
  return locked(reference, `it builds the runtime bundle ${reference}`, log, async () => {
    if ((await docker.image(reference)) || (await loadBundle(reference, bundleCache, tools))) return { reference };
    await log.group(`Building the runtime bundle (CRIU, launcher, companion): ${reference}`, () =>
      build(directory, reference, docker, run, log),
    );
    await keepBundle(reference, bundleCache, tools);
    return { reference };
  });
}

async function build(directory: string, reference: string, docker: Docker, run: Run, log: Log): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-runtime-'));
  try {
    for (const name of INGREDIENTS) await cp(join(directory, name), join(work, name), { recursive: true });
    const companion = await run([
      'dotnet',
      'build',
      join(work, 'companion'),
      '--nologo',
      '--configuration',
      'Release',
      '--output',
      join(work, 'out'),
    ]).catch(() => {
      throw new SnapshotError(
        'DS2003',
        'There is no `dotnet` command on this machine; the companion is built with it.',
      );
    });
    if (companion.code !== 0)
      throw new SnapshotError('DS2002', 'The companion can’t be built.', { detail: companion.stdout });
    await cp(join(work, 'out', 'DotnetSnapshot.Companion.dll'), join(work, 'companion.dll'));
    await setImageModes(work);
    await docker.build(work, {
      tag: reference,
      onLine: (line) => (STEP.test(line) ? log.info(line) : log.debug(line)),
    });
  } catch (error) {
    if (error instanceof SnapshotError && error.code === 'DS2004')
      throw new SnapshotError('DS2008', 'The runtime bundle can’t be built.', {
        ...(error.detail && { detail: error.detail }),
      });
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function digestOfIngredients(directory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of INGREDIENTS) {
    const path = join(directory, name);
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
    const inside = entries
      .filter((entry) => entry.isFile() && !/[/\\](bin|obj)([/\\]|$)/.test(entry.parentPath))
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of inside.length > 0 ? inside.sort() : [path])
      hash.update(`${relative(directory, file)}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 12);
}
