import { createHash } from 'node:crypto';
import type { Inputs } from './inputs.ts';
import type { AppImage, PublishedApp, Report, RuntimeBundle, Traffic } from './model/index.ts';

/** Where snapshots of unchanged apps are kept between runs. */
export interface SnapshotCache {
  /** The same path in every run: it is part of an entry's identity. */
  directory: string;
  /** Fills the directory; false where there is no entry of that key. */
  restore(key: string): Promise<boolean>;
  save(key: string): Promise<void>;
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
  const { checkpointAt, beforeCheckpointPath, afterRestorePath, hookSeconds } = inputs;
  const ingredients = [
    // A published app is known by its files; its image's id changes with each build.
    app.published ? [app.published.digest, app.app.baseImageId] : app.app.id,
    app.runtime.reference,
    app.traffic.digest,
    { env, user, port, readyPath, network, name, pairs },
    { checkpointAt, beforeCheckpointPath, afterRestorePath, hookSeconds },
    machine,
  ];
  return `dotnet-snapshot-v1-${createHash('sha256').update(JSON.stringify(ingredients)).digest('hex')}`;
}
