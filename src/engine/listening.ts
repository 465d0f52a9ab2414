/** A TCP port that something in a container listens on. */
export interface Listening {
  port: number;
  /** Whether only programs of the same container reach it. */
  loopbackOnly: boolean;
}

/** Where programs in a container listen. */
export interface Listeners {
  tcp: Listening[];
  /** Paths of Unix sockets. */
  unix: string[];
}

/** State of a listening socket in the kernel's tables. */
const LISTEN = '0A';

/** Docker's name server in containers on networks of the user. */
const DOCKER_DNS = '127.0.0.11';

/** The diagnostics of .NET listen in each app. */
const DIAGNOSTICS = /\/(dotnet-diagnostic|clr-debug-pipe)-/;

/** What is listened on, as the kernel's tables `/proc/net/tcp`, `tcp6` and `unix` tell; ports by ascending number. */
export function parseListeners(tables: string): Listeners {
  // Number, references, protocol, the flag of a listening socket, type, state, inode, and a path that is no abstract name.
  const unix = [...tables.matchAll(/^[0-9a-f]+: \w+ \w+ 00010000 \w+ \w+ +\d+ (\/.*)$/gm)].map(([, path]) => path!);
  return { tcp: parseListening(tables), unix: unix.filter((path) => !DIAGNOSTICS.test(path)) };
}

function parseListening(tables: string): Listening[] {
  const found = new Map<number, boolean>();
  for (const [, address, port] of tables.matchAll(
    new RegExp(String.raw`^\s*\d+: ([0-9A-F]{8,32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ${LISTEN} `, 'gm'),
  )) {
    const ip = addressOf(address!);
    if (ip === DOCKER_DNS) continue;
    const number = Number.parseInt(port!, 16);
    const loopback = ip.startsWith('127.') || ip === '::1';
    found.set(number, loopback && (found.get(number) ?? true));
  }
  return [...found].map(([port, loopbackOnly]) => ({ port, loopbackOnly })).sort((a, b) => a.port - b.port);
}

/** The kernel writes each 32 bits of an address as one number of the machine; all that .NET runs on here are little-endian. */
function addressOf(hex: string): string {
  const bytes = hex.match(/.{8}/g)!.flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  const v4 = bytes.length === 4 || bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
  if (v4) return bytes.slice(-4).join('.');
  return bytes.every((byte, index) => byte === (index === 15 ? 1 : 0)) ? '::1' : bytes.join(':');
}

/** Why nothing outside of the container can reach the app at `port`, and the way out; undefined where that can't be told. */
export function misplaced(
  { tcp: listening, unix }: Listeners,
  port: number,
): { cause: string; fix: string } | undefined {
  const [own] = listening.filter((socket) => socket.port === port);
  if (own && !own.loopbackOnly) return undefined;
  if (own)
    return {
      cause: `The app listens on port ${port} of the container’s loopback address only, which nothing outside of the container reaches.`,
      fix: `Let it listen on all addresses: --env ASPNETCORE_URLS=http://+:${port}, or 0.0.0.0 in place of localhost where its code or Kestrel:Endpoints names the address.`,
    };
  const reachable = listening.filter(({ loopbackOnly }) => !loopbackOnly).map((socket) => socket.port);
  if (reachable.length > 0)
    return {
      cause: `The app listens on ${reachable.join(' and ')} and not on ${port}.`,
      fix: `Set --port ${reachable.length === 1 ? reachable[0] : `to the port that it answers at: ${reachable.join(' or ')}`}.`,
    };
  if (listening.length === 0 && unix.length > 0)
    return {
      cause: `The app listens on the Unix socket ${unix.join(' and ')} alone, and on no TCP port.`,
      fix: `Let it listen on a port, too (--env ASPNETCORE_URLS='http://unix:${unix[0]};http://+:${port}'), or warm it as an app without HTTP: --ready log:REGEX with --warmup-command or --warmup-seconds.`,
    };
  if (listening.length === 0) return undefined;
  const ports = listening.map((socket) => socket.port);
  return {
    cause: `The app listens on ${ports.join(' and ')} of the container’s loopback address only, and not on ${port}.`,
    fix: `Let it listen on all addresses of the port: --env ASPNETCORE_URLS=http://+:${port}.`,
  };
}
