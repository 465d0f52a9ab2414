import { createHash } from 'node:crypto';
import type { Inputs } from './inputs.ts';
import type { AppImage, FolderCache, PublishedApp, Report, RuntimeBundle, Traffic } from './model/index.ts';

/** Where snapshots of unchanged apps are kept between runs. */
export interface SnapshotCache extends FolderCache {
  /** Checks a stored report; what comes from a cache is not trusted. */
  parseReport(value: unknown): Report;
}

/** The key of a snapshot: everything that goes into it. Two equal keys make equal snapshots but for chance. */
export function cacheKey(
  inputs: Inputs,
  app: { app: AppImage; published?: PublishedApp; runtime: RuntimeBundle; traffic: Traffic },
  machine: string,
): string {
  const { env, user, port, readyPath, network, name, pairs } = inputs;
  const { checkpointAt, beforeCheckpointPath, afterRestorePath, hookSeconds, isa, secretsAtBuild } = inputs;
  const ingredients = [
    // A published app is known by its files; its image's id changes with each build.
    app.published ? [app.published.digest, app.app.baseImageId] : app.app.id,
    app.runtime.reference,
    app.traffic.digest,
    { env, user, port, readyPath, network, name, pairs },
    { checkpointAt, beforeCheckpointPath, afterRestorePath, hookSeconds, isa, secretsAtBuild },
    machine,
  ];
  return `dotnet-snapshot-v2-${createHash('sha256').update(JSON.stringify(ingredients)).digest('hex')}`;
}
