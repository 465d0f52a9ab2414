import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Inputs } from './inputs.ts';
import type { AppImage, FolderCache, PublishedApp, Report, RuntimeBundle, Traffic } from './model/index.ts';

/** Where snapshots of unchanged apps are kept between runs. */
export interface SnapshotCache extends FolderCache {
  /** Checks a stored report; what comes from a cache is not trusted. */
  parseReport(value: unknown): Report;
}

/** Of all files of a mounted file or folder; empty for a volume, whose content is not known here. */
function digestOf(source: string): string {
  if (!isAbsolute(source)) return '';
  const digest = createHash('sha256');
  const add = (path: string) => {
    if (!statSync(path).isDirectory()) digest.update(path).update(readFileSync(path));
    else for (const name of readdirSync(path).sort()) add(join(path, name));
  };
  add(source);
  return digest.digest('hex');
}

/** The key of a snapshot: everything that goes into it. Two equal keys make equal snapshots but for chance. */
export function cacheKey(
  inputs: Inputs,
  app: { app: AppImage; published?: PublishedApp; runtime: RuntimeBundle; traffic: Traffic },
  machine: string,
): string {
  const { env, user, port, host, ready, readyPath, warmupCommand, warmupSeconds, network, name, pairs } = inputs;
  const { checkpointAt, beforeCheckpointPath, afterRestorePath, hookSeconds, isa, secretsAtBuild } = inputs;
  const { mayDiffer, timers, places, filesLimit } = inputs;
  const ingredients = [
    // A published app is known by its files; its image's id changes with each build.
    app.published ? [app.published.digest, app.app.baseImageId] : app.app.id,
    app.runtime.reference,
    app.traffic.digest,
    { env, user, port, host, ready, readyPath, warmupCommand, warmupSeconds, network, name, pairs },
    { checkpointAt, beforeCheckpointPath, afterRestorePath, hookSeconds, isa, secretsAtBuild, mayDiffer, timers },
    { places, filesLimit, mounted: places.mounts.map(({ source }) => digestOf(source)) },
    machine,
  ];
  return `dotnet-snapshot-v2-${createHash('sha256').update(JSON.stringify(ingredients)).digest('hex')}`;
}
