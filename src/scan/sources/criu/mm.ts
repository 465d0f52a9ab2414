import type { Range, Vma } from '../areas.ts';
import { fieldsOf, integer, pieces } from '../protobuf.ts';
import type { StoredFile } from '../stored.ts';
import { onlyRecordIn } from './image.ts';

/** A decoded `mm-<pid>.img`. */
export interface MemoryLayout {
  /** By address. */
  vmas: CriuVma[];
  arguments: Range;
  environment: Range;
}

/** With what CRIU knows a mapping by in its other images. */
export interface CriuVma extends Vma {
  /** Id of a shared-memory segment (`pagemap-shmem-<id>.img`), or of a file in files.img. */
  shmid: bigint;
  /** Offset of `start` in the segment or file, bytes. */
  fileOffset: bigint;
}

// PROT_*, MAP_GROWSDOWN and MADV_DONTDUMP of Linux; VMA_* of criu/include/image.h.
const PROT_READ = 1n;
const PROT_WRITE = 2n;
const PROT_EXEC = 4n;
const MAP_GROWSDOWN = 0x100n;
const MADV_DONTDUMP = 16n;
const VMA_AREA_STACK = 1n << 1n;
const VMA_AREA_HEAP = 1n << 5n;
const VMA_FILE = (1n << 6n) | (1n << 7n);
const VMA_SHARED = (1n << 7n) | (1n << 8n) | (1n << 10n);

/** Reads an `mm-<pid>.img` (images/mm.proto, images/vma.proto). Throws DS4002 where it is damaged. */
export function readMm(file: StoredFile): MemoryLayout {
  const mm = onlyRecordIn(file, 'mm');
  const at = (number: number) => integer(mm, number) ?? 0n;
  const brk = { start: at(6), end: at(7) };
  const vmas = pieces(mm, 14).map((piece): CriuVma => {
    const vma = fieldsOf(piece, file.name);
    const value = (number: number) => integer(vma, number) ?? 0n;
    const [start, end, prot, status] = [value(1), value(2), value(5), value(7)];
    return {
      start,
      end,
      readable: (prot & PROT_READ) !== 0n,
      writable: (prot & PROT_WRITE) !== 0n,
      executable: (prot & PROT_EXEC) !== 0n,
      ...((status & VMA_FILE) === 0n ? {} : { file: {} }),
      shared: (status & VMA_SHARED) !== 0n,
      heap: (status & VMA_AREA_HEAP) !== 0n || (start < brk.end && brk.start < end),
      stack: (status & VMA_AREA_STACK) !== 0n || (value(6) & MAP_GROWSDOWN) !== 0n || (start <= at(5) && at(5) < end),
      dontDump: (value(9) & (1n << MADV_DONTDUMP)) !== 0n,
      shmid: value(4),
      fileOffset: value(3),
    };
  });
  vmas.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  return { vmas, arguments: { start: at(8), end: at(9) }, environment: { start: at(10), end: at(11) } };
}
