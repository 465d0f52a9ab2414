import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { SnapshotError } from '../../errors.ts';
import { damaged } from './damage.ts';
import type { StoredFile } from './stored.ts';

/**
 * All regular files under the folder. Throws DS6002 where it can't be listed, DS4002 for a link or socket: what it
 * stands for may leave with the snapshot, and can't be scanned.
 */
export function filesUnder(folder: string): StoredFile[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  } catch (error) {
    throw new SnapshotError('DS6002', `The snapshot folder ${folder} can't be read.`, { detail: String(error) });
  }
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(folder, path).split(sep).join('/');
      if (entry.name === 'parent' && entry.isSymbolicLink()) throw parentLink(name);
      if (!entry.isFile()) throw damaged(name, 'it is not a regular file, so it can not be scanned');
      return { name: cleanName(name), size: statSync(path).size, path, start: 0 };
    });
}

/** Puts names in the order in which a person would, numbers by value. */
export function byName<T extends { name: string }>(files: T[]): T[] {
  const { compare } = new Intl.Collator('en', { numeric: true });
  return files.toSorted((a, b) => compare(a.name, b.name));
}

/** A name that can be printed: archives may hold any byte in theirs. */
export function cleanName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?').replace(/^(\.?\/)+/, '') || '?';
}

function parentLink(name: string): SnapshotError {
  return damaged(name, 'the snapshot needs a parent snapshot, which is not part of it', {
    fix: WHOLE_CHECKPOINT,
  });
}

/** What to do about a checkpoint that holds changes only. */
export const WHOLE_CHECKPOINT =
  'Take a whole checkpoint: `criu dump` without --prev-images-dir and --track-mem, `podman container checkpoint` ' +
  'without --with-previous, `runc checkpoint` without --parent-path.';
