import type { Protocol } from '../model/index.ts';
import { connectTo } from './http.ts';

/** What a probe met: an answer, or why there was none. */
export type Met =
  | {
      status: number;
      location?: string /** The first characters of the body that came with the headers. */;
      body: string;
    }
  | { status: undefined; why: 'refused' | 'silent' | 'closed' /** What the connection failed with. */; error: string };

/** Characters of a body that are worth showing. */
const SHOWN = 200;

/** How long the body of an answer of 400 and above is waited for; its status is known before. */
const BODY_MS = 300;

/**
 * Sends one GET on a connection of its own. The answer is known with its headers: a body that never ends is not waited
 * for.
 */
export function probe(origin: string, path: string, host: string, timeoutMs: number): Promise<Met> {
  const pool = connectTo(origin);
  return new Promise<Met>((resolve) => {
    let answer: { status: number; location?: string } | undefined;
    let body = '';
    const end = () => answer && resolve({ ...answer, body: printable(body) });
    const timer = setTimeout(
      () => resolve({ status: undefined, why: 'silent', error: `no answer within ${timeoutMs} ms` }),
      timeoutMs,
    );
    const done = () => clearTimeout(timer);
    pool.dispatch(
      { method: 'GET', path, headers: { host } },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, headers) {
          done();
          const location = [headers.location ?? []].flat()[0];
          answer = { status, ...(location !== undefined && { location }) };
          if (status < 400) end();
          else setTimeout(end, BODY_MS).unref();
        },
        onResponseData(_controller, chunk) {
          if (body.length < 4 * SHOWN) body += chunk.toString('utf8');
          if (body.length >= 4 * SHOWN) end();
        },
        onResponseEnd: end,
        onResponseError(_controller, error) {
          done();
          if (answer) return end();
          const { code = '', message } = error as NodeJS.ErrnoException;
          resolve({ status: undefined, why: code === 'ECONNREFUSED' ? 'refused' : 'closed', error: message || code });
        },
      },
    );
  }).finally(() => pool.destroy().catch(() => {}));
}

/** Whether the app may speak another protocol than the one it was asked by. */
function mayBeAnother(met: Met): boolean {
  return met.status === undefined ? met.why === 'closed' : met.status === 400;
}

/** How long each further protocol may take to be answered, in milliseconds. */
const OTHER_MS = 5000;

/**
 * Like {@link probe}, at a port of the loopback address; where the protocol is not known and plain HTTP/1.1 meets no
 * answer, by TLS and by HTTP/2 in the clear, too. Returns the protocol that was answered, where there was an answer.
 */
export async function probeAny(
  port: number,
  protocol: Protocol | undefined,
  { path, host }: { path: string; host: string },
  timeoutMs: number,
): Promise<{ met: Met; protocol: Protocol | undefined }> {
  const ask = (by: Protocol, millis: number) => probe(`${by}://127.0.0.1:${port}`, path, host, millis);
  const met = await ask(protocol ?? 'http', timeoutMs);
  if (protocol === undefined && mayBeAnother(met)) {
    for (const other of ['https', 'h2c'] as const) {
      const further = await ask(other, Math.min(timeoutMs, OTHER_MS));
      if (further.status !== undefined) return { met: further, protocol: other };
    }
  }
  return { met, protocol: met.status === undefined ? protocol : (protocol ?? 'http') };
}

/** ASP.NET Core's host filter, and servers like it, refuse a Host header that they don't know by this answer. */
export function refusesHost(met: Met | undefined): boolean {
  return met?.status === 400 && /invalid hostname|hostname is invalid|invalid host/i.test(met.body);
}

/** What was met, as the end of a sentence. */
export function describeMet(met: Met | undefined): string {
  if (met === undefined) return 'nothing was asked';
  if (met.status === undefined)
    return {
      refused: 'nothing accepts connections there',
      silent: `a connection was accepted, and there was ${met.error}`,
      closed: `connections are closed without an answer, which also a port without listener looks like (${met.error})`,
    }[met.why];
  const to = met.location === undefined ? '' : ` to ${met.location}`;
  return `the last answer had status ${met.status}${to}${met.body ? `: ${met.body}` : ''}`;
}

/** The text on one line, without the tags of HTML, and its beginning where it is long. */
function printable(text: string): string {
  const clean = text
    .replace(/<(title|style|script)[\s>][\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[!/a-z][^>]*>/gi, ' ')
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  return clean.length > SHOWN ? `${clean.slice(0, SHOWN)}…` : clean;
}
