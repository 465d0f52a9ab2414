import { type Bytes, type Remaps, readRemaps } from './ghosts.ts';
import type { Images, Run } from './images.ts';
import type {
  CoreEntry,
  FdinfoEntry,
  FileEntry,
  FileLockEntry,
  FsEntry,
  MmEntry,
  PipeDataEntry,
  PstreeEntry,
  TaskCoreEntry,
} from './messages.ts';
import { type Objects, readObjects } from './objects.ts';
import type { Refusals } from './refusals.ts';

/** All that CRIU's image files tell of the process. */
export interface Process {
  pid: number;
  /** Of the first thread. */
  task: TaskCoreEntry;
  deathSignal: number;
  cores: Map<number, CoreEntry>;
  mm: MmEntry;
  /** Memory of the process’s own with content. */
  runs: Run[];
  fs: FsEntry;
  table: FdinfoEntry[];
  files: Map<number, FileEntry>;
  remaps: Remaps;
  objects: Objects;
  /** Size and content of pipes by their pipe_id. */
  pipes: Map<number, { size: number; content: Bytes }>;
  /** pipe_id of named pipes with something in them. */
  fullFifos: Set<number>;
  /** Open files of sockets that have received something. */
  queued: Set<number>;
  locks: FileLockEntry[];
}

/** Reads the process; notes processes beside it, and what is more than one process can have. */
export async function readProcess(images: Images, pid: number, refusals: Refusals): Promise<Process> {
  const core = (number: number) => images.one<CoreEntry>(`core-${number}`, 'core_entry');
  const tree = await images.all<PstreeEntry>('pstree', 'pstree_entry');
  const own = tree.find((entry) => entry.pid === pid);
  if (!own) throw new Error(`pstree.img has no process ${pid}`);
  for (const other of tree.filter((entry) => entry !== own))
    refusals.add(
      `process ${other.pid} (${(await core(other.pid)).tc?.comm})`,
      'end it in a hook before the checkpoint, and start it after the restore',
    );
  const cores = new Map<number, CoreEntry>();
  for (const tid of own.threads) cores.set(tid, await core(tid));
  const { tc: task, threadCore } = cores.get(pid) ?? {};
  if (!task) throw new Error(`core-${pid}.img does not tell of the process`);
  const mm = await images.one<MmEntry>(`mm-${pid}`, 'mm_entry');
  if (mm.aios.length > 0) refusals.add('a ring of asynchronous I/O', 'turn it off, or open it after the restore');
  const { filesId } = await images.one<{ filesId: number }>(`ids-${pid}`, 'task_kobj_ids_entry');
  const files = await images.all<FileEntry>('files', 'file_entry');
  return {
    pid,
    task,
    deathSignal: threadCore?.pdeathSig ?? 0,
    cores,
    mm,
    runs: await images.runs(`pagemap-${pid}`),
    fs: await images.one<FsEntry>(`fs-${pid}`, 'fs_entry'),
    table: await images.all<FdinfoEntry>(`fdinfo-${filesId}`, 'fdinfo_entry'),
    files: new Map(files.map((file) => [file.id, file])),
    remaps: await readRemaps(images),
    objects: await readObjects(images, mm.vmas, refusals),
    pipes: new Map(await pipes(images, 'pipes-data')),
    fullFifos: new Set(
      (await pipes(images, 'fifo-data')).filter(([, pipe]) => pipe.content.bytes > 0).map(([id]) => id),
    ),
    queued: await queuedSockets(images),
    locks: await images.all<FileLockEntry>('filelocks', 'file_lock_entry'),
  };
}

async function pipes(images: Images, name: string): Promise<[number, { size: number; content: Bytes }][]> {
  const found = await images.withBytes<PipeDataEntry>(name, ['pipe_data_entry'], ({ bytes }) => bytes);
  return found.map(({ message: { pipeId, size }, source }) => {
    const content = { bytes: source.bytes, parts: [{ at: 0, source }] };
    return [pipeId, { size, content }];
  });
}

/** Open files of sockets that something was sent to. */
async function queuedSockets(images: Images): Promise<Set<number>> {
  const packets = await images.withBytes<{ idFor: number; length: number }>(
    'sk-queues',
    ['sk_packet_entry'],
    ({ length }) => length,
  );
  return new Set(packets.map(({ message }) => message.idFor));
}
