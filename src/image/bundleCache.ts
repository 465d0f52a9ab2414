import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import type { Run } from '../exec.ts';
import type { Log } from '../log.ts';
import type { FolderCache } from '../model/index.ts';

interface Tools {
  docker: Docker;
  run: Run;
  log: Log;
}

/** The bundle's image as Docker saves it, in the cache's folder. */
const ARCHIVE = 'image.tar';

/**
 * Loads the bundle's image from the cache; false where there is none that can be used, and then it must be built.
 *
 * Docker checks each layer against its digest, so a damaged archive is refused. Who wrote it can't be checked: builds
 * differ, since Debian's packages change, so there is no digest to expect. A cache entry is as trusted as the jobs of
 * the same repository that may write one.
 */
export async function loadBundle(reference: string, cache: FolderCache | undefined, tools: Tools): Promise<boolean> {
  if (!cache || !(await cache.restore(keyOf(reference)))) return false;
  const { docker, log } = tools;
  try {
    const archive = join(cache.directory, ARCHIVE);
    await requireOnly(reference, archive, tools);
    await docker.load(archive);
    await docker.requireImage(reference);
    log.info(`the runtime bundle comes from the cache: ${reference}`);
    return true;
  } catch (error) {
    log.warning(`The cached runtime bundle is not used: ${messageOf(error)}`);
    return false;
  } finally {
    await rm(cache.directory, { recursive: true, force: true });
  }
}

/** Keeps a bundle that was just built for later runs; only warns where that fails. */
export async function keepBundle(reference: string, cache: FolderCache | undefined, { docker, log }: Tools) {
  if (!cache) return;
  try {
    await rm(cache.directory, { recursive: true, force: true });
    await mkdir(cache.directory, { recursive: true });
    await docker.save(reference, join(cache.directory, ARCHIVE));
    await cache.save(keyOf(reference));
  } catch (error) {
    log.warning(`The runtime bundle could not be kept for later runs: ${messageOf(error)}`);
  } finally {
    await rm(cache.directory, { recursive: true, force: true });
  }
}

/** Throws where the archive names another image: loading it would replace the one of that name in this engine. */
async function requireOnly(reference: string, archive: string, { run }: Tools): Promise<void> {
  const { code, stdout, stderr } = await run(['tar', '--extract', '--to-stdout', '--file', archive, 'manifest.json']);
  if (code !== 0) throw new Error(`it can't be read: ${stderr.trim()}`);
  const names = (JSON.parse(stdout) as { RepoTags?: string[] | null }[]).flatMap(({ RepoTags }) => RepoTags ?? []);
  if (names.length !== 1 || names[0] !== reference) throw new Error(`it holds ${names.join(', ') || 'no image'}`);
}

/** The tag is the digest of what the bundle is built from. */
function keyOf(reference: string): string {
  return `dotnet-snapshot-runtime-v1-${process.arch}-${reference.split(':').at(-1)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
