import { LOW_END, PAGE, STEP } from './format.ts';
import type { VmaEntry } from './messages.ts';
import type { Refusals } from './refusals.ts';

/** Addresses, the end not included. */
export interface Span {
  start: number;
  end: number;
}

/** What is mapped below an area's own pages, and by which step. */
export interface Backing {
  kind: typeof STEP.ANONYMOUS | typeof STEP.FILE | typeof STEP.DESCRIPTOR | typeof STEP.OBJECT;
  /** Path, number of a descriptor, or number of an object. */
  source: string | number;
}

/** A part of the address space that one mmap() can make. */
export interface Area extends Span, Backing {
  /** In what is mapped, bytes. */
  offset: number;
  prot: number;
  /** Of mmap(), without MAP_FIXED and MAP_LOCKED. */
  flags: number;
  /** Bit n stands for the advice n of madvise(). */
  advice: number;
  locked: boolean;
  /**
   * Whether its pages can be mapped from the snapshot. Such memory has its old content again after madvise(MADV_DONTNEED),
   * where other memory is zero, and allocators of native libraries rely on zeros.
   */
  mappable: boolean;
  /** A path that must be opened for writing, as the app did: it may make the mapping writable later. */
  writableLater: boolean;
}

/** The kernel's own code in the process, with the pages of data before it. */
export interface Vdso {
  start: number;
  end: number;
  vvarBytes: number;
  code: Span;
}

/** The address space, sorted out. */
export interface AddressSpace {
  areas: Area[];
  /** Pages that fault on purpose, inside areas: MADV_GUARD_INSTALL. */
  guards: Span[];
  vdso: Vdso | undefined;
}

/** Flags of mmap(). */
export const MAP = {
  SHARED: 0x1,
  PRIVATE: 0x2,
  DROPPABLE: 0x8,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  GROWSDOWN: 0x100,
  LOCKED: 0x2000,
  HUGETLB: 0x40000,
} as const;

/** Advice of madvise(). */
export const ADVICE = {
  MERGEABLE: 12,
  HUGEPAGE: 14,
  NOHUGEPAGE: 15,
  DONTDUMP: 16,
  WIPEONFORK: 18,
  POPULATE_WRITE: 23,
  GUARD_INSTALL: 102,
} as const;

/** Bits of the status of a VMA. */
const STATUS = {
  VSYSCALL: 1 << 2,
  VDSO: 1 << 3,
  HEAP: 1 << 5,
  FILE_PRIVATE: 1 << 6,
  FILE_SHARED: 1 << 7,
  ANON_SHARED: 1 << 8,
  ANON_PRIVATE: 1 << 9,
  VVAR: 1 << 12,
  GUARD: 1 << 16,
  UPROBES: 1 << 17,
} as const;

const REFUSED: readonly [number, string, string][] = [
  [1 << 10, 'System V shared memory', 'use a memory-mapped file or MemoryMappedFile.CreateNew'],
  [1 << 11, 'a memory-mapped socket', 'turn it off, or open it in a hook after the restore'],
  [1 << 13, 'a ring of asynchronous I/O', 'turn it off, or open it in a hook after the restore'],
  [1 << 15, 'a shadow stack', 'start the app without shadow stacks (GLIBC_TUNABLES)'],
  [1 << 27, 'memory of a device', 'open the device in a hook after the restore'],
  [1 << 31, 'memory of an unknown kind', 'open what maps it in a hook after the restore'],
];

const O_RDWR = 2;

/**
 * Sorts out the VMAs of the process. `backing` tells what a file or shared VMA maps; undefined where it refused it.
 * `ofRuntime` is what the .NET runtime reserved for itself; undefined where another allocator may have been first.
 */
export function addressSpace(
  vmas: VmaEntry[],
  backing: (vma: VmaEntry) => Backing | undefined,
  ofRuntime: readonly Span[] | undefined,
  refusals: Refusals,
): AddressSpace {
  const space: AddressSpace = { areas: [], guards: [], vdso: undefined };
  const kernel: Span[] = [];
  let code: Span | undefined;
  for (const vma of vmas.toSorted((a, b) => Number(a.start - b.start))) {
    const span = { start: Number(vma.start), end: Number(vma.end) };
    if (vma.status & (STATUS.VSYSCALL | STATUS.UPROBES)) continue;
    if (vma.status & STATUS.GUARD) space.guards.push(span);
    else if (vma.status & (STATUS.VDSO | STATUS.VVAR)) {
      kernel.push(span);
      if (vma.status & STATUS.VDSO) code = span;
    } else if (!refused(vma, span, refusals)) {
      const anonymous = vma.status & STATUS.ANON_PRIVATE;
      const below = anonymous ? { kind: STEP.ANONYMOUS, source: 0 } : backing(vma);
      if (below) space.areas.push(areaOf(vma, span, below, isMappable(vma, span, ofRuntime)));
    }
  }
  if (code) {
    const start = Math.min(...kernel.map((span) => span.start));
    const bytes = kernel.reduce((sum, span) => sum + span.end - span.start, 0);
    if (start + bytes !== code.end)
      refusals.add('a vdso that is not behind its data', 'take the checkpoint on a kernel of a distribution');
    space.vdso = { start, end: code.end, vvarBytes: code.start - start, code };
  }
  return space;
}

function refused(vma: VmaEntry, { start, end }: Span, refusals: Refusals): boolean {
  const place = `at 0x${start.toString(16)}`;
  const [, what, fix] = REFUSED.find(([bit]) => vma.status & bit) ?? [];
  if (what && fix) refusals.add(`${what} ${place}`, fix);
  else if (vma.flags & MAP.HUGETLB) refusals.add(`memory of huge pages ${place}`, 'turn huge pages of hugetlbfs off');
  else if (start < LOW_END)
    refusals.add(
      `memory below 4 GiB ${place}`,
      'use no program with a fixed address, and map nothing at a fixed address',
    );
  else if (!(vma.status & (STATUS.FILE_PRIVATE | STATUS.FILE_SHARED | STATUS.ANON_SHARED | STATUS.ANON_PRIVATE)))
    refusals.add(`memory of an unknown kind ${place}`, 'open what maps it in a hook after the restore');
  else return end <= start;
  return true;
}

/**
 * Whether the owner of private memory is known, and does not rely on zeros in what it gave back: the code and data of files,
 * what the .NET runtime reserved, and the heap of brk(), which shrinks by brk() alone.
 */
function isMappable(vma: VmaEntry, { start, end }: Span, ofRuntime: readonly Span[] | undefined): boolean {
  if (vma.status & STATUS.FILE_PRIVATE) return true;
  if (!ofRuntime) return false;
  return (vma.status & STATUS.HEAP) !== 0 || ofRuntime.some((range) => range.start <= start && end <= range.end);
}

function areaOf(vma: VmaEntry, span: Span, { kind, source }: Backing, mappable: boolean): Area {
  const droppable = vma.flags & MAP.DROPPABLE;
  // MAP_DROPPABLE implies both.
  const implied = droppable ? (1 << ADVICE.DONTDUMP) | (1 << ADVICE.WIPEONFORK) : 0;
  return {
    ...span,
    kind,
    source,
    offset: kind === STEP.ANONYMOUS ? 0 : Number(vma.pgoff),
    prot: vma.prot,
    flags: (vma.flags & ~(MAP.LOCKED | MAP.FIXED | MAP.ANONYMOUS)) | (kind === STEP.ANONYMOUS ? MAP.ANONYMOUS : 0),
    advice: Number(vma.madv) & ~implied,
    locked: (vma.flags & MAP.LOCKED) !== 0,
    mappable,
    writableLater:
      kind === STEP.FILE && (vma.flags & MAP.SHARED) !== 0 && (vma.prot & 2) === 0 && (vma.fdflags & 3) === O_RDWR,
  };
}

/** Joins neighbours that one mmap() can make. */
export function joined(areas: readonly Area[]): Area[] {
  const result: Area[] = [];
  for (const area of areas) {
    const last = result.at(-1);
    if (last && continues(last, area)) last.end = area.end;
    else result.push({ ...area });
  }
  return result;
}

function continues(a: Area, b: Area): boolean {
  const anonymous = a.kind === STEP.ANONYMOUS;
  return (
    a.end === b.start &&
    a.kind === b.kind &&
    a.source === b.source &&
    (anonymous || a.offset + a.end - a.start === b.offset) &&
    a.prot === b.prot &&
    a.flags === b.flags &&
    a.advice === b.advice &&
    a.locked === b.locked &&
    a.mappable === b.mappable &&
    a.writableLater === b.writableLater &&
    // The parts of shared anonymous memory are objects of their own, and a stack that grows is one by itself.
    !(anonymous && a.flags & MAP.SHARED) &&
    !(a.flags & MAP.GROWSDOWN)
  );
}

/** Whether it is private memory that no file is below. */
export function isPrivateAnonymous(area: Area): boolean {
  return area.kind === STEP.ANONYMOUS && (area.flags & MAP.SHARED) === 0;
}

/** How many pages addresses span. */
export function pageCount({ start, end }: Span): number {
  return (end - start) / PAGE;
}
