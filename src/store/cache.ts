import { rm } from 'node:fs/promises';
import { isFeatureAvailable, restoreCache, saveCache } from '@actions/cache';
import type { Log } from '../log.ts';

/** A folder in the Actions cache. */
export interface CachedDirectory {
  /**
   * The folder. The service takes the path as part of the entry's identity: it must be the same string when the entry is
   * restored as when it was saved.
   */
  dir: string;
  log: Log;
}

/**
 * Brings a folder back from the cache. `dir` is replaced: afterwards it holds that entry, or does not exist.
 * True on a hit; never throws, because without the cache the build only takes longer.
 */
export async function restoreEntry(key: string, { dir, log }: CachedDirectory): Promise<boolean> {
  // The service also answers with an entry whose key merely begins like this one: that is another app's.
  if ((await restore(key, [], { dir, log })) === key) return true;
  await rm(dir, { recursive: true, force: true });
  return false;
}

/** Puts a folder into the cache, where an entry never changes. True when it was saved; never throws. */
export async function saveEntry(key: string, { dir, log }: CachedDirectory): Promise<boolean> {
  if (!isAvailable(log)) return false;
  try {
    // The client reports most of its failures by the id alone.
    if ((await saveCache([dir], key)) !== -1) return true;
    log.warning(
      `The cache did not take ${key}; the next run can’t reuse it. Another job may be saving the same entry.`,
    );
  } catch (error) {
    log.warning(`The cache did not take ${key}: ${messageOf(error)}`);
  }
  return false;
}

/** Replaces `dir` by the newest entry whose key begins with `prefix`, and resolves to its key; never throws. */
export async function restoreNewest(prefix: string, directory: CachedDirectory): Promise<string | undefined> {
  return await restore(prefix, [prefix], directory);
}

async function restore(key: string, prefixes: string[], { dir, log }: CachedDirectory): Promise<string | undefined> {
  if (!isAvailable(log)) return undefined;
  try {
    await rm(dir, { recursive: true, force: true });
    return await restoreCache([dir], key, prefixes);
  } catch (error) {
    log.warning(`The cache could not be read: ${messageOf(error)}`);
    return undefined;
  }
}

function isAvailable(log: Log): boolean {
  if (isFeatureAvailable()) return true;
  log.debug('The Actions cache is not available here.');
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
