import type { SnapshotError } from '../../../errors.ts';
import { damaged } from '../damage.ts';
import { integer } from '../protobuf.ts';
import type { Extent } from '../source.ts';
import type { StoredFile } from '../stored.ts';
import { WHOLE_CHECKPOINT } from '../tree.ts';
import { recordsIn } from './image.ts';

/** A stretch of a process's memory, or of a shared-memory segment, whose pages are in the pages file. */
interface PagemapEntry {
  /** Virtual address of the first page; in a shared-memory pagemap the offset in the segment. */
  address: bigint;
  pages: number;
}

/** A decoded `pagemap-*.img`: which memory the pages of `pages-<pagesId>.img` are, in file order. */
export interface Pagemap {
  pagesId: number;
  entries: PagemapEntry[];
}

// criu/include/pagemap.h
const PE_PARENT = 1n << 0n;
const PE_PRESENT = 1n << 2n;

/** Page sizes of x86-64 and of arm64 kernels. CRIU counts in pages and does not say how large they are. */
const PAGE_SIZES = [4096, 16384, 65536];

/** More pages than an address space of 57 bits has. */
const MOST_PAGES = 2 ** 45;

/**
 * Reads a `pagemap-<pid>.img` or `pagemap-shmem-<id>.img`: a `pagemap_head`, then `pagemap_entry` each
 * (CRIU 4.2, images/pagemap.proto). Entries without pages in the pages file are left out.
 * Throws DS4002 on anything that is not whole, and where pages are in a parent snapshot.
 */
export function readPagemap(file: StoredFile): Pagemap {
  let pagesId: bigint | undefined;
  const entries: PagemapEntry[] = [];
  for (const fields of recordsIn(file, 'pagemap')) {
    const first = integer(fields, 1);
    if (pagesId === undefined) {
      if (first === undefined) break;
      pagesId = first;
      continue;
    }
    // Field 5 is the count since CRIU 4.2; field 2, its 32-bit forerunner, is required and then 0.
    const pages = integer(fields, 5) ?? integer(fields, 2);
    if (first === undefined || pages === undefined) {
      throw damaged(file.name, 'a pagemap entry has no address or count');
    }
    if (pages > MOST_PAGES) throw damaged(file.name, 'a pagemap entry has more pages than there can be');
    const flags = integer(fields, 4);
    if (integer(fields, 3) === 1n || ((flags ?? 0n) & PE_PARENT) !== 0n) throw inParent(file.name);
    // An entry without flags is of a CRIU that wrote only present pages and `in_parent`.
    if (flags === undefined || (flags & PE_PRESENT) !== 0n) entries.push({ address: first, pages: Number(pages) });
  }
  if (pagesId === undefined) throw damaged(file.name, 'the pagemap has no head');
  return { pagesId: Number(pagesId), entries };
}

/**
 * The pieces of the pages file with `size` bytes: cut where neighbours in the file are none in memory.
 * Throws DS4002 where pages and pagemap do not fit each other.
 */
export function memoryOf(pagemap: Pagemap, pagesName: string, size: number): (Extent & { address: bigint })[] {
  const pages = pagemap.entries.reduce((sum, entry) => sum + entry.pages, 0);
  const pageSize = pages === 0 ? size === 0 && 4096 : PAGE_SIZES.find((bytes) => bytes * pages === size);
  if (!pageSize) throw damaged(pagesName, `it holds ${size} bytes, its pagemap tells of ${pages} pages`);
  const pieces: (Extent & { address: bigint })[] = [];
  let offset = 0;
  let nextAddress: bigint | undefined;
  for (const { address, pages: count } of pagemap.entries) {
    const length = count * pageSize;
    const last = pieces.at(-1);
    if (last !== undefined && address === nextAddress) last.length += length;
    else if (length > 0) pieces.push({ offset, length, address });
    offset += length;
    nextAddress = address + BigInt(length);
  }
  return pieces;
}

function inParent(file: string): SnapshotError {
  return damaged(file, 'some of its pages are in a parent snapshot, which is not part of this one', {
    fix: WHOLE_CHECKPOINT,
  });
}
