import type { InetSkEntry, SkOptsEntry } from './messages.ts';

/** An option of a socket, as setsockopt() takes it. */
export interface SocketOption {
  level: number;
  name: number;
  value: number;
}

const [SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6] = [1, 0, 6, 41];
const AF_INET6 = 10;

/** Bits of so_buf_lock: the app has set the size of the buffer. */
const [SNDBUF_LOCK, RCVBUF_LOCK] = [1, 2];

/** What differs from a new socket of any family. */
export function commonOptions(opts: SkOptsEntry): SocketOption[] {
  const { soBufLock } = opts;
  return of(SOL_SOCKET, [
    [2, opts.reuseaddr, false],
    [15, opts.soReuseport, false],
    [5, opts.soDontroute, false],
    [6, opts.soBroadcast, false],
    // The kernel doubles what it is given.
    [7, soBufLock & SNDBUF_LOCK ? opts.soSndbuf >>> 1 : 0, 0],
    [8, soBufLock & RCVBUF_LOCK ? opts.soRcvbuf >>> 1 : 0, 0],
    [9, opts.soKeepalive, false],
    [10, opts.soOobinline, 0],
    [11, opts.soNoCheck, false],
    [12, opts.soPriority, 0],
    [16, opts.soPasscred, false],
    [18, opts.soRcvlowat, 1],
    [34, opts.soPasssec, false],
  ]);
}

/** What differs from a new socket of the internet families, and whether IPv6 is by itself. */
export function inetOptions({ family, v6only, ipOpts, tcpOpts }: InetSkEntry): SocketOption[] {
  const v6 = family === AF_INET6;
  const own = v6
    ? of(IPPROTO_IPV6, [
        [26, v6only, undefined],
        [78, ipOpts?.freebind ?? false, false],
        [49, ipOpts?.pktinfo ?? false, false],
      ])
    : of(IPPROTO_IP, [
        [15, ipOpts?.freebind ?? false, false],
        [8, ipOpts?.pktinfo ?? false, false],
        [1, ipOpts?.tos ?? 0, 0],
        [2, ipOpts?.ttl || 64, 64],
      ]);
  const tcp = of(IPPROTO_TCP, [
    [1, tcpOpts?.nodelay ?? false, false],
    [3, tcpOpts?.cork ?? false, false],
    [4, tcpOpts?.keepidle || 7200, 7200],
    [5, tcpOpts?.keepintvl || 75, 75],
    [6, tcpOpts?.keepcnt || 9, 9],
  ]);
  return [...own, ...tcp];
}

/** Each option's name and value, and the value that a new socket has. */
function of(level: number, options: [number, number | boolean, number | boolean | undefined][]): SocketOption[] {
  return options
    .filter(([, value, usual]) => value !== usual)
    .map(([name, value]) => ({ level, name, value: Number(value) }));
}
