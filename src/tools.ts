import type { SnapshotCache } from './cachekey.ts';
import type { Cleanup } from './cleanup.ts';
import type { Docker } from './engine/docker.ts';
import type { Run } from './exec.ts';
import type { Log } from './log.ts';
import type { FolderCache } from './model/index.ts';
import type { Redactor } from './secrets/redact.ts';

/** What the pipeline works with; the doors choose each. */
export interface Tools {
  docker: Docker;
  run: Run;
  /** Masks secrets in every line by itself. */
  log: Log;
  /** Masks secrets in what is written otherwise. */
  redactor: Redactor;
  cleanup: Cleanup;
  /** This project's runtime folder. */
  runtimeDirectory: string;
  /** Variables of the build's environment; those that look secret are searched for in the snapshot. */
  environment: Record<string, string>;
  /** Names kernel and CPU; a cached snapshot is only used where both are the same. */
  machine: string;
  cache?: SnapshotCache;
  /** Where the runtime bundle is kept for machines that have not built it. */
  bundleCache?: FolderCache;
  commit?: string;
}
