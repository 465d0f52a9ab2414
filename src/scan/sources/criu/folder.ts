import { posix } from 'node:path';
import type { Mapping } from '../../../model/findings.ts';
import { damaged } from '../damage.ts';
import type { RuntimeHints } from '../hints.ts';
import { type ProcessMemory, placeIn, placeOfProcess } from '../memory.ts';
import { pieceAt } from '../pieces.ts';
import type { Extent, Place } from '../source.ts';
import type { StoredFile } from '../stored.ts';
import { memoryOf, readPagemap } from './pagemap.ts';
import { type Processes, readProcesses } from './processes.ts';

/** A pages file: whose memory it is, and its pieces by offset. */
interface Pages {
  owner: { pid: number } | { shmid: bigint };
  /** `address` is that in the process, or the offset in the segment. */
  pieces: (Extent & { address: bigint })[];
}

/** A folder with CRIU's images. */
export interface CriuFolder {
  /** Extents of its pages files, by full name. All other files are one piece. */
  extents: Map<string, Extent[]>;
  /** Whose memory a pages file is, by full name; shared memory is nobody's. */
  memory: Map<string, ProcessMemory>;
  placeOf(file: string, offset: number): Place;
}

const PAGEMAP = /^pagemap-(shmem-)?(\d+)\.img$/;
const PAGES = /^pages-\d+\.img$/;

/** Images of one process or thread, which their number names. */
const OF_TASK =
  /^(?:core|mm|pagemap|ids|fs|creds|rlimit|itimers|posix-timers|sigacts|signal-s|signal-p|vmas)-(\d+)\.img$/;

/** Images that hold data which was under way. */
const QUEUES: [RegExp, Mapping][] = [
  [/^(sk-queues|tcp-stream-[0-9a-f]+)\.img$/, 'socket queue'],
  [/^(pipes-data|fifo-data)\.img$/, 'pipe'],
  [/^tty-data.*\.img$/, 'terminal'],
  [/^ipcns-shm-\d+\.img$/, 'shared memory'],
];

/** Whether a file of this name, without folders, makes its folder a CRIU folder. */
export function isMemoryImage(base: string): boolean {
  return PAGEMAP.test(base) || PAGES.test(base);
}

/**
 * Reads the images of one folder, but none of the pages. Each pages file must be told of by exactly one pagemap. What
 * only names things (mm, core, pstree, files, memfd) may be missing, but not be damaged.
 * Throws DS4002 where pages can't be assigned.
 */
export function readFolder(folder: string, files: StoredFile[], hints: RuntimeHints | undefined): CriuFolder {
  const images = new Map(files.map((file) => [posix.basename(file.name), file]));
  const pages = readPages(folder, images);
  const processes = readProcesses(images, hints);
  const memory = new Map<string, ProcessMemory>();
  const extents = new Map<string, Extent[]>();
  for (const [name, { owner, pieces }] of pages) {
    if ('pid' in owner) memory.set(name, processes.byPid.get(owner.pid) ?? { ...owner, areas: [], registers: [] });
    const own = (piece: Extent) => ('pid' in owner ? { ...piece, pid: owner.pid } : withoutAddress(piece));
    extents.set(name, pieces.map(own));
  }
  return {
    extents,
    memory,
    placeOf(name, offset) {
      const told = pages.get(name);
      if (told === undefined) return placeOfRecord(posix.basename(name), processes);
      const piece = pieceAt(told.pieces, offset);
      const address = piece && piece.address + BigInt(offset - piece.offset);
      if ('shmid' in told.owner) return placeInSegment(told.owner.shmid, address, processes);
      const process = memory.get(name)!;
      return address === undefined
        ? { mapping: 'anonymous memory', ...placeOfProcess(process) }
        : placeIn(process, address);
    },
  };
}

/** The pages files of a folder by full name. */
function readPages(folder: string, images: Map<string, StoredFile>): Map<string, Pages> {
  const full = (base: string) => posix.join(folder, base);
  const told = new Map<string, Pages>();
  for (const [base, file] of images) {
    const [, shared, id] = PAGEMAP.exec(base) ?? [];
    if (id === undefined) continue;
    const pagemap = readPagemap(file);
    const name = full(`pages-${pagemap.pagesId}.img`);
    const image = images.get(posix.basename(name));
    if (image === undefined && pagemap.entries.length > 0) throw damaged(file.name, `${name} is missing`);
    if (told.has(name)) throw damaged(file.name, `${name} belongs to another pagemap too`);
    const owner = shared ? { shmid: BigInt(id) } : { pid: Number(id) };
    told.set(name, { owner, pieces: image ? memoryOf(pagemap, image.name, image.size) : [] });
  }
  if (told.size === 0) throw damaged(full('pagemap-*.img'), 'the snapshot holds no memory');
  for (const [base, file] of images) {
    if (PAGES.test(base) && !told.has(file.name)) throw damaged(file.name, 'no pagemap tells what its pages are');
  }
  return told;
}

/** A segment may be mapped by several processes, or by none while a descriptor holds it: the first is told. */
function placeInSegment(shmid: bigint, offset: bigint | undefined, processes: Processes): Place {
  const name = processes.segmentNames.get(shmid);
  const place: Place = { mapping: 'shared memory', ...(name === undefined ? {} : { mappedFile: name }) };
  if (offset === undefined) return place;
  for (const { pid, vma } of processes.attachments.get(shmid) ?? []) {
    const address = vma.start + offset - vma.fileOffset;
    if (address < vma.start || address >= vma.end) continue;
    return { ...place, ...placeOfProcess(processes.byPid.get(pid) ?? { pid }), address };
  }
  return place;
}

function placeOfRecord(base: string, processes: Processes): Place {
  const mapping = QUEUES.find(([pattern]) => pattern.test(base))?.[1] ?? 'record';
  const task = OF_TASK.exec(base)?.[1];
  if (task === undefined) return { mapping };
  const pid = processes.threads.get(Number(task)) ?? Number(task);
  return { mapping, ...placeOfProcess(processes.byPid.get(pid) ?? { pid }) };
}

function withoutAddress({ offset, length }: Extent): Extent {
  return { offset, length };
}
