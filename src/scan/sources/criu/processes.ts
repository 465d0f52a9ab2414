import { areasOf } from '../areas.ts';
import type { RuntimeHints } from '../hints.ts';
import type { Area, ProcessMemory } from '../memory.ts';
import type { StoredFile } from '../stored.ts';
import { type CriuVma, readMm } from './mm.ts';
import { readFileNames, readMemfds } from './names.ts';
import { readProcessTree, readTask, type Task } from './tasks.ts';

/** Where a shared-memory segment is mapped. */
export interface Attachment {
  pid: number;
  vma: CriuVma;
}

/** The processes of a CRIU folder. */
export interface Processes {
  byPid: Map<number, ProcessMemory>;
  /** Thread to process, the main thread included. */
  threads: Map<number, number>;
  /** By segment id. */
  attachments: Map<bigint, Attachment[]>;
  /** Names of memfds by segment id. */
  segmentNames: Map<bigint, string>;
}

/**
 * Reads what names the memory: mm, core, pstree, files and memfd images, by their names without folders. What is
 * missing is not told. Throws DS4002 for a damaged one.
 */
export function readProcesses(images: Map<string, StoredFile>, hints: RuntimeHints | undefined): Processes {
  const filesImage = images.get('files.img') ?? images.get('reg-files.img');
  const { paths, memfds } = filesImage ? readFileNames(filesImage) : { paths: new Map(), memfds: new Map() };
  const memfdImage = images.get('memfd.img');
  const segments = memfdImage ? readMemfds(memfdImage) : new Map();
  const treeImage = images.get('pstree.img');
  const threads = treeImage ? readProcessTree(treeImage) : new Map<number, number>();

  const tasks = new Map<number, Task[]>();
  for (const [tid, image] of numbered(images, 'core')) {
    const task = readTask(image);
    const pid = threads.get(tid) ?? tid;
    const others = tasks.get(pid) ?? [];
    // The main thread's image is the one with the name of the process.
    if (tid === pid) others.unshift(task);
    else others.push(task);
    tasks.set(pid, others);
    threads.set(tid, pid);
  }

  const attachments = new Map<bigint, Attachment[]>();
  const areas = new Map<number, Area[]>();
  for (const [pid, image] of numbered(images, 'mm')) {
    const { vmas, environment, arguments: words } = readMm(image);
    for (const vma of vmas) {
      if (!vma.file && !vma.shared) continue;
      const memfd = vma.file ? segments.get(memfds.get(vma.shmid)) : undefined;
      const name = vma.file ? (memfd?.name ?? paths.get(vma.shmid)) : undefined;
      if (name !== undefined) vma.file = { name };
      const segment: bigint | undefined = vma.file ? memfd?.shmid : vma.shmid;
      if (segment === undefined) continue;
      const others = attachments.get(segment);
      if (others) others.push({ pid, vma });
      else attachments.set(segment, [{ pid, vma }]);
    }
    const stackPointers = (tasks.get(pid) ?? []).flatMap(({ stackPointer }) => stackPointer ?? []);
    const landmarks = { environment, arguments: words, stackPointers, ...(hints?.pid === pid ? hints : {}) };
    areas.set(pid, areasOf(vmas, landmarks));
  }

  const pids = new Set([...threads.values(), ...areas.keys()]);
  const byPid = new Map(
    [...pids].map((pid): [number, ProcessMemory] => {
      const [main] = tasks.get(pid) ?? [];
      const registers = (tasks.get(pid) ?? []).flatMap((task) => task.registers);
      const name = main?.name;
      return [pid, { pid, ...(name === undefined ? {} : { name }), areas: areas.get(pid) ?? [], registers }];
    }),
  );
  const segmentNames = new Map([...segments.values()].map(({ shmid, name }) => [shmid, name]));
  return { byPid, threads, attachments, segmentNames };
}

/** The images `<kind>-<number>.img`. */
function numbered(images: Map<string, StoredFile>, kind: 'core' | 'mm'): [number, StoredFile][] {
  return [...images].flatMap(([base, file]): [number, StoredFile][] => {
    const [, of, number] = /^([a-z]+)-(\d+)\.img$/.exec(base) ?? [];
    return of === kind && number !== undefined ? [[Number(number), file]] : [];
  });
}
