import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { SnapshotError } from '../errors.ts';
import { damaged, parsePagemap } from './pagemap.ts';

/** A contiguous piece of a file that is one piece of memory too, so that text in it may be read across its pages. */
export interface Extent {
  /** Byte offset in the file. */
  offset: number;
  /** Bytes. */
  length: number;
  /** Address of the first byte in the process `pid`, where the pagemap tells it. */
  address?: bigint;
  pid?: number;
}

/** A file of the snapshot and the extents that cover all of it. */
export interface ImageFile {
  /** Path within the snapshot folder, with forward slashes. */
  name: string;
  /** Bytes. */
  size: number;
  extents: Extent[];
}

const PAGE = 4096;

/**
 * All files of a CRIU image folder and how each is to be read: `pages-*.img` cut where the pagemap leaves a gap,
 * any other file as one piece. Reads the pagemaps, none of the pages.
 * Throws DS6002 where there is no CRIU image, DS4002 where pages and pagemaps do not fit each other.
 */
export function planFiles(dir: string): ImageFile[] {
  const files = listFiles(dir);
  const names = new Set(files.map((file) => file.name));
  if (!files.some((file) => file.name.endsWith('.img'))) {
    throw new SnapshotError('DS6002', `There is no CRIU image in ${dir}.`);
  }
  const planned = new Map<string, Extent[]>();
  for (const { name } of files.filter((file) => /^pagemap-(shmem-)?\d+\.img$/.test(file.name))) {
    const { pagesName, extents } = planPages(dir, name);
    if (planned.has(pagesName)) throw damaged(name, `${pagesName} belongs to another pagemap too`);
    if (extents.length > 0 && !names.has(pagesName)) throw damaged(name, `${pagesName} is missing`);
    planned.set(pagesName, extents);
  }
  if (planned.size === 0) throw damaged('pagemap-*.img', 'the snapshot holds no memory');
  return files.map(({ name, size }) => {
    const extents = planned.get(name);
    if (extents === undefined) {
      if (/^pages-\d+\.img$/.test(name)) throw damaged(name, 'no pagemap tells what its pages are');
      return { name, size, extents: size === 0 ? [] : [{ offset: 0, length: size }] };
    }
    const told = extents.reduce((sum, extent) => sum + extent.length, 0);
    if (told !== size) throw damaged(name, `it holds ${size} bytes, its pagemap tells of ${told}`);
    return { name, size, extents };
  });
}

/** The extents of the pages file that one pagemap describes. */
function planPages(dir: string, name: string): { pagesName: string; extents: Extent[] } {
  const { pagesId, entries } = parsePagemap(readWhole(dir, name), name);
  // A shared-memory pagemap counts from the start of the segment, so it tells no address.
  const pid = /^pagemap-(\d+)\.img$/.exec(name)?.[1];
  const extents: Extent[] = [];
  let offset = 0;
  let nextAddress: bigint | undefined;
  for (const { address, pages, present, inParent } of entries) {
    if (inParent) throw damaged(name, 'some of its pages are in a parent snapshot, which this scan does not see');
    if (!present) continue;
    const length = pages * PAGE;
    const last = extents.at(-1);
    if (last !== undefined && address === nextAddress) last.length += length;
    else extents.push({ offset, length, ...(pid === undefined ? {} : { address, pid: Number(pid) }) });
    offset += length;
    nextAddress = address + BigInt(length);
  }
  return { pagesName: `pages-${pagesId}.img`, extents };
}

/** All regular files under the folder. A link or socket can't be scanned, so it counts as damage. */
function listFiles(dir: string): { name: string; size: number }[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(dir, { withFileTypes: true, recursive: true });
  } catch (error) {
    throw new SnapshotError('DS6002', `The snapshot folder ${dir} can't be read.`, { detail: String(error) });
  }
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(dir, path).split(sep).join('/');
      if (!entry.isFile()) throw damaged(name, 'it is not a regular file, so it can not be scanned');
      return { name, size: statSync(path).size };
    })
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function readWhole(dir: string, name: string): Buffer {
  try {
    return readFileSync(join(dir, name));
  } catch (error) {
    throw damaged(name, 'it can not be read', String(error));
  }
}
