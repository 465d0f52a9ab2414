import { Client, H2CClient, Pool } from 'undici';

/** Time-outs are the caller's, over connecting, headers and body as one. */
const UNTIMED = { headersTimeout: 0, bodyTimeout: 0 };
const CONNECT = { timeout: 0, rejectUnauthorized: false };

/**
 * Connections to an app at an origin such as `http://127.0.0.1:5000`, `https://…` (any certificate; HTTP/2 where the app
 * offers it) or `h2c://…` (HTTP/2 in the clear, by prior knowledge).
 */
export function connectTo(origin: string, connections = 1): Pool {
  const h2c = origin.startsWith('h2c:');
  return new Pool(h2c ? origin.replace('h2c:', 'http:') : origin, {
    connections,
    pipelining: 1,
    ...UNTIMED,
    connect: CONNECT,
    allowH2: origin.startsWith('https:'),
    // The pool's own connector knows nothing of HTTP/2 in the clear; the client makes one that does.
    factory: (to, options) => (h2c ? new H2CClient(to, { ...UNTIMED, connect: CONNECT }) : new Client(to, options)),
  });
}
