import { DESCRIPTOR, Writer } from './format.ts';
import type { InetSkEntry, NetlinkSkEntry, SkOptsEntry, UnixSkEntry } from './messages.ts';
import { commonOptions, inetOptions, type SocketOption } from './options.ts';
import type { Refusals } from './refusals.ts';

/** What a socket's descriptor is made of, beyond its number. */
export interface Socket {
  kind: number;
  flags: number;
  extra: number;
  name: Buffer | '';
  a: number;
  b: number;
  c: number;
  options: SocketOption[];
}

const [STREAM, DATAGRAM, RAW] = [1, 2, 3];
const [ESTABLISHED, CLOSE, LISTEN] = [1, 7, 10];
const [IPPROTO_TCP, IPPROTO_ICMP, IPPROTO_ICMPV6] = [6, 1, 58];
const AF_INET = 2;
const NETLINK_CONNECTED = 1;
const UNIX_PATH_BYTES = 108;

const AFTER_RESTORE = 'open it in a hook after the restore';

/** A TCP or UDP socket; `what` names it in a refusal. */
export function inetSocket(socket: InetSkEntry, what: string, refusals: Refusals): Socket {
  const { type, proto, state, srcPort, dstPort } = socket;
  const tcp = proto === IPPROTO_TCP;
  // The dump has cut it (--tcp-close): what is left is a socket that was shut down.
  const cut = tcp && dstPort !== 0;
  const supported = (type === STREAM && tcp) || (type === DATAGRAM && !tcp);
  if (!supported) refusals.add(`${what} (a raw or unusual internet socket)`, AFTER_RESTORE);
  if (tcp && !cut && state !== LISTEN && state !== CLOSE)
    refusals.add(`${what} (a TCP connection in state ${state})`, 'close it in a hook before the checkpoint');
  if (socket.ifname && !cut) refusals.add(`${what} (bound to an address of ${socket.ifname} alone)`, AFTER_RESTORE);
  if (!cut) checkOptions(socket.opts, what, refusals);
  const connected = !tcp && dstPort !== 0;
  const bound = srcPort !== 0 && !cut && proto !== IPPROTO_ICMP && proto !== IPPROTO_ICMPV6;
  // Its own address came from the route to the peer, which may be another where it is restored.
  const from = connected ? socket.srcAddr.map(() => 0) : socket.srcAddr;
  const name = new Writer()
    .u32(socket.family, Number(bound), Number(connected), cut ? 3 : socket.shutdown)
    .bytes(address(socket.family, srcPort, from, bound))
    .bytes(address(socket.family, dstPort, socket.dstAddr, connected));
  return {
    ...{ kind: DESCRIPTOR.INET, flags: socket.flags, extra: type, name: name.take() },
    ...{ a: proto, b: state === LISTEN ? socket.backlog + 1 : 0, c: 0 },
    options: [...commonOptions(socket.opts), ...inetOptions(socket)],
  };
}

/** A netlink socket. */
export function netlinkSocket(socket: NetlinkSkEntry, what: string, refusals: Refusals): Socket {
  if (socket.state === NETLINK_CONNECTED) refusals.add(`${what} (a connected netlink socket)`, AFTER_RESTORE);
  checkOptions(socket.opts, what, refusals);
  return {
    ...{ kind: DESCRIPTOR.NETLINK, flags: socket.flags, extra: RAW, name: '' },
    ...{ a: socket.protocol, b: socket.groups[0] ?? 0, c: socket.portid },
    options: commonOptions(socket.opts),
  };
}

/**
 * A unix socket. `peer` is the socket that it is connected to, with its descriptor's index; undefined where the process has
 * no such socket.
 */
export function unixSocket(
  socket: UnixSkEntry,
  peer: { socket: UnixSkEntry; index: number } | undefined,
  what: string,
  refusals: Refusals,
): Socket {
  const { type, state, filePerms } = socket;
  const datagram = type === DATAGRAM;
  const mutual = peer?.socket.peer === socket.ino;
  const [named, peerNamed] = [socket.name.length > 0, (peer?.socket.name.length ?? 0) > 0];
  // Made as a pair; datagram sockets with names are connected by them.
  const pair = peer && mutual && !(datagram && named && peerNamed);
  if (socket.uflags !== 0 || (socket.peer !== 0 && !peer))
    refusals.add(`${what} (connected to another process)`, 'close it in a hook before the checkpoint');
  else if (peer && !mutual && !datagram)
    refusals.add(`${what} (a connection that was not accepted)`, 'accept it, or close it, before the checkpoint');
  else if (!peer && state === ESTABLISHED && !datagram)
    refusals.add(`${what} (a connection whose other end is closed)`, 'close it in a hook before the checkpoint');
  if (peer && datagram && !peerNamed && (!mutual || named))
    refusals.add(`${what} (connected to a socket without a name)`, 'close it in a hook before the checkpoint');
  if (socket.deleted) refusals.add(`${what} (its file was deleted)`, 'keep the file, or close the socket');
  checkOptions(socket.opts, what, refusals);
  // An accepted connection shows the name of the socket that it was accepted from.
  const accepted = !datagram && state === ESTABLISHED;
  const path = accepted ? Buffer.alloc(0) : unixName(socket);
  if (path.length > UNIX_PATH_BYTES - (path[0] === 0 ? 0 : 1))
    refusals.add(`${what} (its path is too long)`, 'bind it to a path below 108 characters');
  const name = new Writer()
    .u32(path.length, (filePerms?.mode ?? 0) & 0o7777, peer && !pair ? peer.index + 1 : 0, socket.shutdown)
    .bytes(path.subarray(0, UNIX_PATH_BYTES))
    .until(16 + UNIX_PATH_BYTES);
  return {
    ...{ kind: DESCRIPTOR.UNIX, flags: socket.flags, extra: type, name: name.take() },
    ...{ a: pair ? peer.index + 1 : 0, b: state === LISTEN ? socket.backlog + 1 : 0, c: 0 },
    options: commonOptions(socket.opts),
  };
}

/** The name without what ends a path; abstract ones are taken as they are. */
function unixName({ name, nameDir }: UnixSkEntry): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length === 0 || bytes[0] === 0) return bytes;
  const end = bytes.indexOf(0);
  const path = end < 0 ? bytes : bytes.subarray(0, end);
  return path[0] === 0x2f || !nameDir ? path : Buffer.concat([Buffer.from(`${nameDir.replace(/\/$/, '')}/`), path]);
}

/** Refuses what an option of the plan can't state. */
function checkOptions(opts: SkOptsEntry, what: string, refusals: Refusals): void {
  const refuse = (found: boolean, option: string) =>
    found &&
    refusals.add(`${what} (${option})`, 'do not set the option, or open the socket in a hook after the restore');
  refuse([opts.soRcvTmoSec, opts.soRcvTmoUsec].some(Boolean), 'a receive timeout');
  refuse([opts.soSndTmoSec, opts.soSndTmoUsec].some(Boolean), 'a send timeout');
  refuse(Object.hasOwn(opts, 'soLinger'), 'SO_LINGER');
  refuse(opts.soMark !== 0, 'SO_MARK');
  refuse(opts.soBoundDev !== '', 'SO_BINDTODEVICE');
  refuse(opts.soFilter.length > 0, 'a socket filter');
}

/** struct sockaddr_in or sockaddr_in6, in 28 bytes; zeros where it is not used. */
function address(family: number, port: number, words: number[], used: boolean): Buffer {
  const writer = new Writer();
  if (used) writer.u16(family).bytes(Buffer.from([port >>> 8, port & 0xff]));
  if (used && family !== AF_INET) writer.u32(0);
  if (used) writer.u32(...words.slice(0, family === AF_INET ? 1 : 4));
  return writer.until(28).take();
}
