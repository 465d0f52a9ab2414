import { posix } from 'node:path';
import { DESCRIPTOR, type Int, Writer } from './format.ts';
import type { Bytes } from './ghosts.ts';
import type { FdinfoEntry, FileEntry, FownEntry, TimerfdEntry, UnixSkEntry } from './messages.ts';
import type { Objects } from './objects.ts';
import type { SocketOption } from './options.ts';
import type { Process } from './process.ts';
import type { Refusals } from './refusals.ts';
import { inetSocket, netlinkSocket, unixSocket } from './sockets.ts';

/** struct descriptor; `content` is what its `b` will point to, `timer` a struct timerfd_state there. */
export interface Descriptor {
  fd: number;
  kind: number;
  flags: number;
  cloexec: number;
  extra: number;
  name: string | Buffer;
  a: Int;
  b: Int;
  c: Int;
  options: SocketOption[];
  content?: Bytes;
  timer?: Buffer;
}

/** What the descriptors of the process are made of. */
export interface OpenFiles
  extends Pick<Process, 'pid' | 'table' | 'files' | 'remaps' | 'pipes' | 'fullFifos' | 'queued'> {
  /** Names of the pipes that are the launcher's: standard output and error, control in and out. */
  inherited: string[];
  objects: Pick<Objects, 'ofMemfd'>;
  /** Numbers of those eventfds that are semaphores. */
  semaphores: readonly number[];
}

/** The descriptors of the process. */
export interface Descriptors {
  /** In ascending order, one for each open file. */
  list: Descriptor[];
  copies: { from: number; to: number; cloexec: number }[];
  watches: { epoll: number; fd: number; events: number; data: bigint }[];
}

const O_CREAT_EXCL_TRUNC = 0o100 | 0o200 | 0o1000;
const REGULAR = 0o100000;
const BEFORE_CHECKPOINT = 'close it in a hook before the checkpoint';

/** Types of open files that can't be restored, by number. */
const REFUSED: Readonly<Record<number, [string, string]>> = {
  10: ['a packet socket', BEFORE_CHECKPOINT],
  11: ['a terminal', 'run the app without a terminal'],
  12: ['a fanotify group', BEFORE_CHECKPOINT],
  14: ['a namespace', BEFORE_CHECKPOINT],
  15: ['a TUN device', BEFORE_CHECKPOINT],
  16: ['a file of another process', BEFORE_CHECKPOINT],
  19: ['a BPF map', BEFORE_CHECKPOINT],
  20: ['a handle of a process', 'dispose of the Process object before the checkpoint'],
};

/** Turns the table of descriptors into the plan's. */
export function describe(open: OpenFiles, refusals: Refusals): Descriptors {
  const table = open.table.toSorted((a, b) => a.fd - b.fd);
  const first = new Map<number, FdinfoEntry>();
  const result: Descriptors = { list: [], copies: [], watches: [] };
  for (const entry of table) {
    const original = first.get(entry.id);
    if (original) result.copies.push({ from: original.fd, to: entry.fd, cloexec: entry.flags & 1 });
    else first.set(entry.id, entry);
  }
  const indexes = new Map([...first.keys()].map((id, index) => [id, index]));
  const context: Context = { ...open, refusals, indexes, pipeNumbers: new Map(), deleted: new Map(), open: new Set() };
  for (const { fd } of table) context.open.add(fd);
  for (const { id, fd, flags } of first.values()) {
    const file = open.files.get(id);
    if (!file) throw new Error(`files.img has no entry for descriptor ${fd}`);
    result.list.push({ ...BLANK, ...descriptorOf(file, fd, context), fd, cloexec: flags & 1 });
    for (const watch of file.epfd?.tfd ?? []) {
      result.watches.push({ epoll: fd, fd: watch.tfd, events: watch.events, data: watch.data });
      if (!context.open.has(watch.tfd))
        refusals.add(`descriptor ${fd} (an epoll that watches a file that is closed)`, BEFORE_CHECKPOINT);
    }
  }
  return result;
}

/** A path that the restored process can open. */
export function pathOf(name: string, pid: number): string {
  return name.replace(new RegExp(`^/proc/${pid}(?=/|$)`), '/proc/self');
}

interface Context extends OpenFiles {
  refusals: Refusals;
  /** Index among the descriptors by the open file's id. */
  indexes: Map<number, number>;
  pipeNumbers: Map<number, number>;
  /** Deleted files that a descriptor has already, with its number. */
  deleted: Map<Bytes, number>;
  open: Set<number>;
}

const BLANK = { flags: 0, extra: 0, name: '', a: 0, b: 0, c: 0, options: [] };

type Made = Partial<Descriptor> & { kind: number };

function descriptorOf(file: FileEntry, fd: number, context: Context): Made {
  const { refusals, objects } = context;
  const [what, fix] = REFUSED[file.type] ?? [];
  if (what && fix) refusals.add(`descriptor ${fd} (${what})`, fix);
  const { reg, pipe, fifo, isk, usk, nlsk, efd, epfd, ify, sgfd, tfd, memfd } = file;
  for (const member of [reg, pipe, isk, usk, nlsk, efd, epfd, ify, sgfd, tfd, memfd])
    if (member) checkOwner(member.fown, fd, refusals);
  if (context.queued.has(file.id))
    refusals.add(`descriptor ${fd} (a socket with unread data)`, 'read it, or close it, before the checkpoint');
  if (reg) return regular(file.id, reg, fd, context);
  if (pipe) return pipeEnd(pipe, context);
  if (fifo) return namedPipe(fifo, fd, context);
  if (isk) return inetSocket(isk, `descriptor ${fd}`, refusals);
  if (nlsk) return netlinkSocket(nlsk, `descriptor ${fd}`, refusals);
  if (usk) return unixSocket(usk, peerOf(usk, context), `descriptor ${fd}`, refusals);
  if (efd) {
    const extra = context.semaphores.includes(fd) ? 1 : 0;
    return { kind: DESCRIPTOR.EVENT, flags: efd.flags, a: efd.counter, extra };
  }
  if (epfd) return { kind: DESCRIPTOR.EPOLL, flags: epfd.flags };
  if (sgfd) return { kind: DESCRIPTOR.SIGNAL, flags: sgfd.flags, a: sgfd.sigmask };
  if (tfd)
    return { kind: DESCRIPTOR.TIMER, flags: tfd.flags, extra: tfd.clockid, a: tfd.ticks, timer: timerState(tfd) };
  if (ify) {
    if (ify.wd.length > 0)
      refusals.add(`descriptor ${fd} (an inotify watch)`, 'make a FileSystemWatcher only after the restore');
    return { kind: DESCRIPTOR.INOTIFY, flags: ify.flags };
  }
  const object = memfd && objects.ofMemfd(memfd.inodeId);
  if (object !== undefined) return { kind: DESCRIPTOR.OBJECT, flags: memfd!.flags, extra: object, a: memfd!.pos };
  if (!what) refusals.add(`descriptor ${fd} (of an unknown kind)`, BEFORE_CHECKPOINT);
  return { kind: DESCRIPTOR.FILE };
}

function regular(id: number, reg: NonNullable<FileEntry['reg']>, fd: number, context: Context): Made {
  const { refusals, remaps, deleted } = context;
  const what = `descriptor ${fd} (${reg.name})`;
  const flags = reg.flags & ~O_CREAT_EXCL_TRUNC;
  if (reg.ext || remaps.lost.has(id)) refusals.add(`${what}, which has no path any more`, BEFORE_CHECKPOINT);
  if (reg.name.includes('\ufffd')) refusals.add(`${what}, whose path is no UTF-8`, 'rename the file');
  const ghost = remaps.ghosts.get(id);
  if (!ghost) return { kind: DESCRIPTOR.FILE, flags, name: pathOf(reg.name, context.pid), a: reg.pos };
  if ((ghost.mode & 0o170000) !== REGULAR)
    refusals.add(`${what}, which is deleted and no regular file`, BEFORE_CHECKPOINT);
  const other = deleted.get(ghost.content);
  if (other !== undefined)
    refusals.add(`${what}, a deleted file that descriptor ${other} has open too`, BEFORE_CHECKPOINT);
  deleted.set(ghost.content, fd);
  const name = posix.dirname(reg.name);
  const { content } = ghost;
  return { kind: DESCRIPTOR.DELETED, flags, name, a: reg.pos, c: content.bytes, extra: ghost.mode & 0o7777, content };
}

function pipeEnd({ pipeId, flags }: NonNullable<FileEntry['pipe']>, context: Context): Made {
  const inherited = context.inherited.indexOf(`pipe:[${pipeId}]`);
  if (inherited >= 0) return { kind: DESCRIPTOR.INHERITED, flags, extra: inherited };
  const { pipeNumbers } = context;
  const number = pipeNumbers.get(pipeId) ?? pipeNumbers.size;
  pipeNumbers.set(pipeId, number);
  const data = context.pipes.get(pipeId);
  const made = { kind: DESCRIPTOR.PIPE, flags, extra: number, a: data?.size ?? 0, c: data?.content.bytes ?? 0 };
  return data && data.content.bytes > 0 ? { ...made, content: data.content } : made;
}

function namedPipe({ pipeId, regfId }: NonNullable<FileEntry['fifo']>, fd: number, context: Context): Made {
  const reg = context.files.get(regfId)?.reg;
  if (!reg || context.remaps.ghosts.has(regfId) || context.remaps.lost.has(regfId))
    context.refusals.add(`descriptor ${fd} (a named pipe without a path)`, BEFORE_CHECKPOINT);
  if (context.fullFifos.has(pipeId))
    context.refusals.add(`descriptor ${fd} (a named pipe with unread data)`, 'read it before the checkpoint');
  if (reg) checkOwner(reg.fown, fd, context.refusals);
  return { kind: DESCRIPTOR.FIFO, flags: (reg?.flags ?? 0) & ~O_CREAT_EXCL_TRUNC, name: reg?.name ?? '' };
}

function peerOf(socket: UnixSkEntry, { files, indexes }: Context): { socket: UnixSkEntry; index: number } | undefined {
  if (socket.peer === 0) return undefined;
  const file = [...files.values()].find(({ usk }) => usk?.ino === socket.peer);
  const index = file && indexes.get(file.id);
  return file?.usk && index !== undefined ? { socket: file.usk, index } : undefined;
}

function checkOwner(owner: FownEntry, fd: number, refusals: Refusals): void {
  if (owner.pid !== 0 || owner.signum !== 0)
    refusals.add(`descriptor ${fd} (signals tell of its input)`, 'wait for input by epoll, as .NET does');
}

/** struct timerfd_state */
function timerState({ isec, insec, vsec, vnsec, settimeFlags }: TimerfdEntry): Buffer {
  return new Writer().u64(isec, insec, vsec, vnsec).u32(settimeFlags, 0).take();
}
