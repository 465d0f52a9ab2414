import { join, posix } from 'node:path';
import { SnapshotError } from '../../errors.ts';
import type { ScannedFile } from './source.ts';
import { headOf, type StoredFile } from './stored.ts';
import { indexTar, isTarHeader } from './tar.ts';
import { cleanName } from './tree.ts';
import { compressionOf, unpack } from './unpack.ts';

/** Files with all archives among them opened. */
export interface Expanded {
  files: StoredFile[];
  /** What archives hold beside their members. */
  rest: ScannedFile[];
}

/** Where and how much may be unpacked. */
export interface UnpackOptions {
  folder: string;
  /** Bytes, all files together. */
  limit: number;
}

/** An archive in an archive in a layer of an image: deeper ones are read as they are. */
const DEEPEST = 4;

/** gzip of this size can't unpack to more than the scan itself looks at inside any other data. */
const SMALL_GZIP = 16 * 1024;

/**
 * Replaces each compressed file and tar by what it holds. Names are made unique. CRIU's own images are left alone but
 * for the tars of tmpfs mounts. `strict`: the files are what was asked for, so damage is an error; an archive that only
 * lies among other files is read as it is when it can't be opened. Throws what `unpack` and `indexTar` throw.
 */
export async function expand(files: StoredFile[], options: UnpackOptions, strict: boolean): Promise<Expanded> {
  const expanded: Expanded = { files: [], rest: [] };
  const seen = new Map<string, number>();
  const unique = (name: string): string => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : unique(`${name}#${count}`);
  };
  let unpackedFiles = 0;
  let left = options.limit;

  const add = async (file: StoredFile, depth: number, mustOpen: boolean): Promise<void> => {
    if (depth > DEEPEST || file.size === 0 || isImage(file.name)) {
      expanded.files.push({ ...file, name: unique(file.name) });
      return;
    }
    const head = headOf(file, 512);
    const compression = compressionOf(head);
    if (compression === 'zstd' || (compression === 'gzip' && (mustOpen || file.size > SMALL_GZIP))) {
      const unpacked = await unpack(file, compression, join(options.folder, String(++unpackedFiles)), left);
      left -= unpacked.file.size;
      if (mustOpen && unpacked.broken) throw unpacked.broken;
      if (unpacked.broken) expanded.files.push({ ...file, name: unique(file.name) });
      await add(unpacked.file, depth + 1, mustOpen);
      return;
    }
    const index = isTarHeader(head) ? openTar(file, mustOpen) : undefined;
    if (index === undefined) {
      expanded.files.push({ ...file, name: unique(file.name) });
      return;
    }
    expanded.rest.push({ ...file, name: unique(file.name), extents: index.rest });
    for (const member of index.members) {
      const name = cleanName(member.name);
      // The archive that was asked for is no part of its members' names.
      await add({ ...member, name: mustOpen ? name : posix.join(file.name, name) }, depth + 1, false);
    }
  };
  for (const file of files) await add(file, 0, strict);
  return expanded;
}

function openTar(file: StoredFile, mustOpen: boolean) {
  try {
    return indexTar(file);
  } catch (error) {
    if (mustOpen || !(error instanceof SnapshotError)) throw error;
    return undefined;
  }
}

/** CRIU's images begin with a number of their own, but pages are the process's, and may look like anything. */
function isImage(name: string): boolean {
  return name.endsWith('.img') && !name.endsWith('.tar.gz.img');
}
