import type { Mapping } from '../../model/findings.ts';
import type { Area } from './memory.ts';

/** A mapping of a process, as a CRIU image or a core dump tells it. */
export interface Vma {
  start: bigint;
  end: bigint;
  readable: boolean;
  writable: boolean;
  executable: boolean;
  /** Backed by a file; a name where one is known. */
  file?: { name?: string };
  shared: boolean;
  /** `[heap]`, or the main thread's `[stack]`. */
  heap: boolean;
  stack: boolean;
  /** madvise(MADV_DONTDUMP); undefined where it is not told. */
  dontDump?: boolean;
}

/** Address ranges, end exclusive. */
export interface Range {
  start: bigint;
  end: bigint;
}

/** What else is known of a process. */
export interface Landmarks {
  environment?: Range;
  arguments?: Range;
  stackPointers: bigint[];
  /** Where the GC heap is, by the runtime's own word. */
  gcHeap?: Range[];
  /** What the runtime reserved for code, types and GC heap. */
  reservedMemory?: Range[];
}

/** glibc reserves this much, aligned to its own size, for each further malloc arena (HEAP_MAX_SIZE). */
const ARENA = 64n * 1024n * 1024n;

/** The GC reserves far more than that at once, and nothing of it is executable. */
const SMALLEST_RESERVE = 2n * ARENA;

/** The areas of a process, what lies within another first. `vmas` are sorted by address. */
export function areasOf(vmas: Vma[], landmarks: Landmarks): Area[] {
  const special: Area[] = [];
  if (landmarks.environment) special.push({ ...landmarks.environment, mapping: 'environment' });
  if (landmarks.arguments) special.push({ ...landmarks.arguments, mapping: 'arguments' });
  const arenas = arenasIn(vmas);
  const heaps = landmarks.gcHeap ?? managedHeapsIn(vmas, arenas, landmarks.reservedMemory);
  const [inArena, inHeap, hasStackPointer] = [within(arenas), within(heaps), holdsOneOf(landmarks.stackPointers)];
  const mappingOf = (vma: Vma): Mapping => {
    if (vma.shared && (vma.file === undefined || isSharedMemory(vma.file.name))) return 'shared memory';
    if (vma.file) return 'code or data of a file';
    if (vma.stack || hasStackPointer(vma)) return 'stack';
    if (inHeap(vma)) return 'managed heap';
    return vma.heap || inArena(vma) ? 'native heap' : 'anonymous memory';
  };
  const areas = vmas.map((vma): Area => {
    const name = vma.file?.name;
    return {
      start: vma.start,
      end: vma.end,
      mapping: mappingOf(vma),
      ...(name === undefined ? {} : { mappedFile: name }),
    };
  });
  // The GC may say that only a part of a mapping is its heap.
  const told = (landmarks.gcHeap ?? []).map((range): Area => ({ ...range, mapping: 'managed heap' }));
  return [...special, ...told, ...areas];
}

/** Whether the name of a mapped file is one that the kernel gives memory without a file. */
export function isSharedMemory(name: string | undefined): boolean {
  return name !== undefined && /^(\/memfd:|\/dev\/zero|\/dev\/shm\/|\/SYSV|memfd:)/.test(name);
}

/** Malloc arenas of threads: one arena's pages, and what is reserved for it up to the border. */
function arenasIn(vmas: Vma[]): Range[] {
  return vmas.flatMap((vma, at) => {
    if (vma.start % ARENA !== 0n || !isAnonymous(vma) || !vma.writable || vma.executable) return [];
    const rest = vmas[at + 1];
    const whole = { start: vma.start, end: vma.start + ARENA };
    if (vma.end === whole.end) return [whole];
    const reserved = rest && isReserved(rest) && rest.dontDump !== true && rest.start === vma.end;
    return reserved && rest.end === whole.end ? [whole] : [];
  });
}

/**
 * The reservations of the GC, by their form: one run of private anonymous mappings, a very large part of it reserved
 * only (and kept out of core dumps, which tells it from the C library's), nothing of it executable. Memory that the
 * runtime holds for code and types is executable in part.
 */
function managedHeapsIn(vmas: Vma[], arenas: Range[], reservedMemory: Range[] | undefined): Range[] {
  const isArena = within(arenas);
  const runs: Vma[][] = [];
  for (const vma of vmas) {
    const fits = isAnonymous(vma) && (!isReserved(vma) || vma.dontDump !== false);
    const last = runs.at(-1)?.at(-1);
    if (!fits) runs.push([]);
    else if (last !== undefined && last.end === vma.start) runs.at(-1)?.push(vma);
    else runs.push([vma]);
  }
  const found = runs
    .map((run) => trimmed(run, isArena))
    .filter((run) => run.some(isLargeReserve) && !run.some((vma) => vma.executable))
    .map((run) => ({ start: run[0]!.start, end: run.at(-1)!.end }));
  if (found.length > 0 || reservedMemory === undefined) return found;
  const isReservedMemory = within(reservedMemory);
  return vmas.filter((vma) => isAnonymous(vma) && !vma.executable && !isArena(vma) && isReservedMemory(vma));
}

/** Without the arenas that happen to be neighbours at either end. The GC's own regions may look alike further in. */
function trimmed(run: Vma[], isArena: (vma: Vma) => boolean): Vma[] {
  const first = run.findIndex(isLargeReserve);
  const last = run.findLastIndex(isLargeReserve);
  return run.filter((vma, at) => (at >= first && at <= last) || !isArena(vma));
}

/** Whether a mapping lies in one of the ranges, which do not overlap. Their number may be large. */
function within(ranges: Range[]): (vma: Range) => boolean {
  const sorted = ranges.toSorted((a, b) => (a.start < b.start ? -1 : 1));
  return (vma) => {
    const range = lastUpTo(sorted, vma.start, ({ start }) => start);
    return range !== undefined && vma.end <= range.end;
  };
}

/** Whether one of the addresses lies in a mapping. */
function holdsOneOf(addresses: bigint[]): (vma: Range) => boolean {
  const sorted = addresses.toSorted((a, b) => (a < b ? -1 : 1));
  return (vma) => (lastUpTo(sorted, vma.end - 1n, (address) => address) ?? -1n) >= vma.start;
}

/** The last of the sorted items whose key is at most `limit`. */
function lastUpTo<T>(items: T[], limit: bigint, key: (item: T) => bigint): T | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key(items[middle]!) <= limit) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}

function isLargeReserve(vma: Vma): boolean {
  return isReserved(vma) && vma.end - vma.start >= SMALLEST_RESERVE;
}

function isReserved(vma: Vma): boolean {
  return !vma.readable && !vma.writable && !vma.executable;
}

function isAnonymous(vma: Vma): boolean {
  return vma.file === undefined && !vma.shared && !vma.heap && !vma.stack;
}
