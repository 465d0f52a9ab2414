import { areasOf, isSharedMemory, type Range, type Vma } from '../areas.ts';
import { damaged } from '../damage.ts';
import type { Area, ProcessMemory } from '../memory.ts';
import type { Extent } from '../source.ts';
import type { StoredFile } from '../stored.ts';
import { type ElfCore, readElfCore } from './file.ts';
import { auxiliaryValue, type CoreNotes, readNotes } from './notes.ts';
import { readInitialStack } from './stack.ts';

/** A core dump. */
export interface CoreDump {
  extents: Extent[];
  memory: ProcessMemory;
}

const AT_ENTRY = 9n;

/** The heap begins at random behind the program: 32 MiB away at most on x86-64, 1 GiB on arm64. */
const FARTHEST_HEAP = 1n << 30n;

/** Reads a core dump but for the memory. Throws DS4002 where it is not whole, DS1001 for other machines. */
export function readCore(file: StoredFile): CoreDump {
  const core = readElfCore(file);
  const notes = readNotes(core);
  const pid = notes.pid ?? 0;
  const { name, registers } = notes;
  return {
    extents: extentsOf(file, core, pid),
    memory: { pid, ...(name === undefined ? {} : { name }), areas: areasIn(file, core, notes), registers },
  };
}

/** What was dumped, joined where neighbours in the file are neighbours in memory too, and all that lies between. */
function extentsOf(file: StoredFile, core: ElfCore, pid: number): Extent[] {
  const extents: Extent[] = [];
  let at = 0;
  for (const { offset, length, start } of core.segments.toSorted((a, b) => a.offset - b.offset)) {
    if (length === 0) continue;
    if (offset < at) throw damaged(file.name, 'two pieces of memory lie on top of each other');
    if (offset > at) extents.push({ offset: at, length: offset - at });
    const last = extents.at(-1);
    if (last?.address !== undefined && last.address + BigInt(last.length) === start) last.length += length;
    else extents.push({ offset, length, address: start, pid });
    at = offset + length;
  }
  if (at < file.size) extents.push({ offset: at, length: file.size - at });
  return extents;
}

function areasIn(file: StoredFile, core: ElfCore, notes: CoreNotes): Area[] {
  const files = notes.files.toSorted((a, b) => (a.start < b.start ? -1 : 1));
  const stack = readInitialStack(file, core, notes.auxiliary);
  const program = programIn(notes);
  let heapFound = false;
  let next = 0;
  const vmas = core.segments.map((segment): Vma => {
    while (next < files.length && files[next]!.end <= segment.start) next++;
    const mapped = files[next];
    const isMapped = mapped !== undefined && mapped.start <= segment.start;
    // The part of the program's data that the file does not hold follows it.
    const name = isMapped ? mapped.name : program?.end === segment.start ? program.name : undefined;
    const near = program && segment.start > program.end && segment.start - program.end <= FARTHEST_HEAP;
    const heap = !heapFound && !!near && name === undefined && segment.writable && !segment.executable;
    heapFound ||= heap;
    return {
      ...segment,
      // gdb calls everything readable, memory that is only reserved too.
      readable: segment.readable && (name !== undefined || segment.writable || segment.executable),
      ...(name === undefined ? {} : { file: { name } }),
      shared: isSharedMemory(name),
      heap,
      stack: stack !== undefined && segment.start <= stack.pointer && stack.pointer < segment.end,
    };
  });
  // A dumper may join neighbours to one piece, so what is mapped counts before what was dumped.
  const mapped = files.map(
    ({ start, end, name }): Area => ({
      start,
      end,
      mapping: isSharedMemory(name) ? 'shared memory' : 'code or data of a file',
      mappedFile: name,
    }),
  );
  return [...mapped, ...areasOf(vmas, { stackPointers: notes.stackPointers, ...stack })];
}

/** Where the program itself is mapped. */
function programIn(notes: CoreNotes): (Range & { name: string }) | undefined {
  const entry = auxiliaryValue(notes.auxiliary, AT_ENTRY);
  const name = notes.files.find(({ start, end }) => entry !== undefined && start <= entry && entry < end)?.name;
  const pieces = notes.files.filter((mapped) => mapped.name === name);
  if (name === undefined) return undefined;
  const [start, end] = [pieces.at(0)!.start, pieces.at(-1)!.end];
  return { name, start, end };
}
