import { expect, test } from 'vitest';
import { describe, type OpenFiles } from '../../src/plan/descriptors.ts';
import { DESCRIPTOR } from '../../src/plan/format.ts';
import { locksOf } from '../../src/plan/locks.ts';
import type { FileEntry, InetSkEntry, SkOptsEntry, UnixSkEntry } from '../../src/plan/messages.ts';
import { Refusals } from '../../src/plan/refusals.ts';

const fown = { signum: 0, pid: 0 };

const opts: SkOptsEntry = {
  ...{ soSndbuf: 16384, soRcvbuf: 131072, soSndTmoSec: 0n, soSndTmoUsec: 0n, soRcvTmoSec: 0n, soRcvTmoUsec: 0n },
  ...{ reuseaddr: false, soPriority: 0, soRcvlowat: 1, soMark: 0, soPasscred: false, soPasssec: false },
  ...{ soDontroute: false, soNoCheck: false, soBoundDev: '', soFilter: [], soReuseport: false, soBroadcast: false },
  ...{ soKeepalive: false, soOobinline: 0, soBufLock: 0 },
};

const tcp: InetSkEntry = {
  ...{ family: 10, type: 1, proto: 6, state: 10, srcPort: 8080, dstPort: 0, flags: 0o4002, backlog: 512 },
  ...{ srcAddr: [0, 0, 0, 0], dstAddr: [0, 0, 0, 0], fown, opts: { ...opts, reuseaddr: true }, v6only: false },
  ...{ ifname: '', shutdown: 0, ipOpts: { freebind: false, pktinfo: false, tos: 0, ttl: 0 } },
  tcpOpts: { cork: false, nodelay: true, keepcnt: 9, keepidle: 7200, keepintvl: 75 },
};

function unix(ino: number, more: Partial<UnixSkEntry> = {}): UnixSkEntry {
  return {
    ...{ ino, type: 1, state: 1, flags: 2, uflags: 0, backlog: 0, peer: 0, fown, opts, name: new Uint8Array() },
    ...{ shutdown: 0, nameDir: '', deleted: false, ...more },
  };
}

type Kind = Omit<FileEntry, 'id'>;

const regular = (name: string, flags = 0): Kind => ({ type: 1, reg: { flags, pos: 7n, fown, name, ext: false } });
const pipe = (pipeId: number, flags: number): Kind => ({ type: 2, pipe: { pipeId, flags, fown } });

/** Descriptors of open files by their numbers. */
function describeFiles(files: Record<number, Kind>, more: Partial<OpenFiles> = {}) {
  const refusals = new Refusals();
  const entries = Object.entries(files).map(([fd, file], id) => ({ fd: Number(fd), id, file: { ...file, id } }));
  const open: OpenFiles = {
    pid: 1000,
    inherited: ['pipe:[11]', 'pipe:[12]', 'pipe:[13]', 'pipe:[14]'],
    table: entries.map(({ fd, id, file }) => ({ fd, id, type: file.type, flags: 1 })).reverse(),
    files: new Map(entries.map(({ id, file }) => [id, file])),
    remaps: { ghosts: new Map(), lost: new Set() },
    pipes: new Map(),
    fullFifos: new Set(),
    queued: new Set(),
    objects: { ofMemfd: (inode) => inode - 1 },
    semaphores: [],
    ...more,
  };
  return { ...describe(open, refusals), refusals };
}

test('files are opened in the order of their numbers, as before but not made anew', () => {
  const { list, refusals } = describeFiles({
    7: regular('/proc/1000/maps'),
    3: regular('/tmp/log', 0o1 | 0o100 | 0o1000 | 0o2000),
  });
  expect(list).toMatchObject([
    { fd: 3, kind: DESCRIPTOR.FILE, name: '/tmp/log', flags: 0o2001, a: 7n, cloexec: 1 },
    { fd: 7, name: '/proc/self/maps' },
  ]);
  expect(() => refusals.check()).not.toThrow();
});

test('the same open file is opened once and copied', () => {
  const { list, copies } = describeFiles(
    { 3: regular('/a') },
    {
      table: [
        { id: 0, fd: 9, flags: 0, type: 1 },
        { id: 0, fd: 3, flags: 1, type: 1 },
      ],
    },
  );
  expect(list).toHaveLength(1);
  expect(copies).toEqual([{ from: 3, to: 9, cloexec: 0 }]);
});

test('pipes are the launcher’s by name, and others keep size and content', () => {
  const content = { bytes: 5, parts: [{ at: 0, source: { file: 'pipes-data.img', offset: 20, bytes: 5 } }] };
  const { list } = describeFiles(
    { 1: pipe(11, 1), 4: pipe(99, 0), 5: pipe(99, 1), 6: pipe(100, 0), 900: pipe(13, 0) },
    { pipes: new Map([[99, { size: 65536, content }]]) },
  );
  expect(list).toMatchObject([
    { kind: DESCRIPTOR.INHERITED, extra: 0 },
    { kind: DESCRIPTOR.PIPE, extra: 0, a: 65536, c: 5, content },
    { kind: DESCRIPTOR.PIPE, extra: 0, flags: 1 },
    { kind: DESCRIPTOR.PIPE, extra: 1, c: 0 },
    { kind: DESCRIPTOR.INHERITED, extra: 2 },
  ]);
});

test('a socket that listens is bound again, with what its options differ in', () => {
  const { list } = describeFiles({ 5: { type: 4, isk: tcp } });
  const [socket] = list;
  expect(socket).toMatchObject({ kind: DESCRIPTOR.INET, extra: 1, a: 6, b: 513 });
  expect(socket!.options).toEqual([
    { level: 1, name: 2, value: 1 },
    { level: 41, name: 26, value: 0 },
    { level: 6, name: 1, value: 1 },
  ]);
  const name = socket!.name as Buffer;
  expect([0, 4, 8].map((at) => name.readUInt32LE(at))).toEqual([10, 1, 0]);
  expect(name.subarray(16, 20)).toEqual(Buffer.from([10, 0, 0x1f, 0x90]));
  expect(name).toHaveLength(72);
});

test('a connection that the checkpoint cut is a socket that is shut down, whatever it had set', () => {
  const cut = { ...tcp, state: 1, dstPort: 5432, opts: { ...opts, soRcvTmoSec: 3n, soLinger: 0 } };
  const { list, refusals } = describeFiles({ 5: { type: 4, isk: cut } });
  const name = list[0]!.name as Buffer;
  expect([4, 8, 12].map((at) => name.readUInt32LE(at))).toEqual([0, 0, 3]);
  expect(() => refusals.check()).not.toThrow();
});

test('a connected datagram socket keeps its port, and gets the address that leads to its peer', () => {
  const socket = { ...tcp, family: 2, type: 2, proto: 17, state: 1, srcPort: 40000, dstPort: 8125 };
  const { list } = describeFiles({
    5: { type: 4, isk: { ...socket, srcAddr: [0x0200_0aac], dstAddr: [0x0100_007f] } },
  });
  const name = list[0]!.name as Buffer;
  expect([4, 8].map((at) => name.readUInt32LE(at))).toEqual([1, 1]);
  expect(name.subarray(16, 24)).toEqual(Buffer.from([2, 0, 0x9c, 0x40, 0, 0, 0, 0]));
  expect(name.subarray(44, 52)).toEqual(Buffer.from([2, 0, 0x1f, 0xbd, 127, 0, 0, 1]));
});

test('unix sockets listen by their path and are paired by their descriptors', () => {
  const path = new Uint8Array(Buffer.from('app.sock\0'));
  const listening = unix(1, { state: 10, backlog: 255, name: path, nameDir: '/tmp', filePerms: { mode: 0o140755 } });
  const { list, refusals } = describeFiles({
    3: { type: 5, usk: listening },
    4: { type: 5, usk: unix(2, { peer: 3 }) },
    9: { type: 5, usk: unix(3, { peer: 2, name: path }) },
  });
  const [server, left, right] = list;
  const name = server!.name as Buffer;
  expect(name.toString('latin1', 16, 16 + name.readUInt32LE(0))).toBe('/tmp/app.sock');
  expect([server!.b, name.readUInt32LE(4).toString(8)]).toEqual([256, '755']);
  expect([left!.a, right!.a]).toEqual([3, 2]);
  expect((right!.name as Buffer).readUInt32LE(0)).toBe(0);
  expect(() => refusals.check()).not.toThrow();
});

test('timers, events and what epoll waits for are kept', () => {
  const timer = { flags: 2, fown, clockid: 1, ticks: 3n, settimeFlags: 1, vsec: 4n, vnsec: 5n, isec: 6n, insec: 7n };
  const { list, watches } = describeFiles({
    3: { type: 7, epfd: { flags: 2, fown, tfd: [{ tfd: 4, events: 0x8000_001d, data: 42n }] } },
    4: { type: 6, efd: { flags: 2, fown, counter: 9n } },
    5: { type: 17, tfd: timer },
  });
  expect(list).toMatchObject([
    { kind: DESCRIPTOR.EPOLL },
    { kind: DESCRIPTOR.EVENT, a: 9n },
    { kind: DESCRIPTOR.TIMER, a: 3n, extra: 1 },
  ]);
  expect([0, 8, 16, 24, 32].map((at) => list[2]!.timer!.readBigUInt64LE(at))).toEqual([6n, 7n, 4n, 5n, 1n]);
  expect(watches).toEqual([{ epoll: 3, fd: 4, events: 0x8000_001d, data: 42n }]);
});

test('a deleted file keeps its content, but not two openings of it', () => {
  const ghost = { mode: 0o100600, content: { bytes: 5, parts: [] } };
  const remaps = { ghosts: new Map([[0, ghost]]), lost: new Set<number>() };
  const one = describeFiles({ 3: regular('/tmp/x/gone', 2) }, { remaps });
  expect(one.list[0]).toMatchObject({
    kind: DESCRIPTOR.DELETED,
    name: '/tmp/x',
    c: 5,
    extra: 0o600,
    content: ghost.content,
  });
  expect(() => one.refusals.check()).not.toThrow();
  remaps.ghosts.set(1, ghost);
  const two = describeFiles({ 3: regular('/tmp/gone'), 4: regular('/tmp/gone') }, { remaps });
  expect(() => two.refusals.check()).toThrow('descriptor 4 (/tmp/gone), a deleted file that descriptor 3 has open too');
});

test('all that can’t be restored is named at once, each with its fix', () => {
  const { refusals } = describeFiles(
    {
      3: { type: 11 },
      4: { type: 8, ify: { flags: 2, fown, wd: [{}] } },
      5: { type: 4, isk: { ...tcp, opts: { ...opts, soRcvTmoSec: 5n, soMark: 1 } } },
      6: { type: 5, usk: unix(1, { peer: 77 }) },
      7: { type: 6, efd: { flags: 2, fown: { pid: 5, signum: 0 }, counter: 0n } },
      8: { type: 7, epfd: { flags: 2, fown, tfd: [{ tfd: 55, events: 1, data: 0n }] } },
      9: { type: 5, usk: unix(9, { state: 7 }) },
      10: { type: 20 },
    },
    { queued: new Set([6]) },
  );
  const names = [
    ...[
      '3 (a terminal)',
      '4 (an inotify watch)',
      '5 (a receive timeout)',
      '5 (SO_MARK)',
      '6 (connected to another process)',
    ],
    ...[
      '7 (signals tell of its input)',
      '8 (an epoll that watches a file that is closed)',
      '9 (a socket with unread data)',
    ],
    '10 (a handle of a process)',
  ];
  const error = (() => {
    try {
      return refusals.check();
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toMatchObject({ code: 'DS3008', exitCode: 3 });
  for (const name of names) expect((error as Error).message).toContain(`descriptor ${name}`);
  expect((error as { detail: string }).detail.split('\n')).toHaveLength(names.length);
});

test('locks are taken again, those of other processes and leases are not', () => {
  const refusals = new Refusals();
  const lock = { pid: 1000, fd: 3, start: 0n, len: 0n };
  const locks = locksOf(
    1000,
    [
      { ...lock, flag: 2, type: 1 },
      { ...lock, flag: 1, type: 0, len: 8n },
      { ...lock, flag: 4, type: 1 },
      { ...lock, pid: 2, flag: 1, type: 1 },
    ],
    refusals,
  );
  expect(locks.map(({ kind, type }) => [kind, type])).toEqual([
    [0, 2],
    [1, 0],
    [2, 1],
  ]);
  expect(() => refusals.check()).not.toThrow();
  locksOf(1000, [{ ...lock, flag: 8, type: 0 }], refusals);
  expect(() => refusals.check()).toThrow('a lease or mandatory lock on descriptor 3');
});
