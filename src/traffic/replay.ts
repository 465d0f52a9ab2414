import type { Pool } from 'undici';
import { connectTo } from '../engine/http.ts';
import type { Answer, Exchange, Target, Traffic } from '../model/index.ts';
import { type Finder, finderOf } from './capture.ts';
import { CookieJar } from './cookies.ts';
import { decodeBody } from './decode.ts';
import { unmetBy } from './expectation.ts';
import { type Incoming, send } from './send.ts';
import { type Captures, fillIn } from './template.ts';

/** How traffic is replayed. */
export interface ReplayOptions {
  /** Sends no more than this many requests in all, repeats counted; all where absent. */
  limit?: number;
  /** Ends the replay: it then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Longest wait for one whole answer, in milliseconds; 30,000 where absent. */
  timeoutMs?: number;
  /** Repeats of one exchange sent side by side, each on its own connection; 1 where absent. */
  connections?: number;
  /** Called with each answer as it arrives. */
  onAnswer?: (answer: Answer) => void;
}

/**
 * Sends the traffic to the app at `target.origin`, such as `http://127.0.0.1:5000` or `h2c://…`, in the order of the file, and
 * resolves with the answers in that order. Redirects are answers, not followed. Cookies and captures live as long as the
 * replay. A request that gets no answer becomes an answer of status 0 whose `unmet` tells why, and the replay goes on.
 */
export async function replay(traffic: Traffic, target: Target, options: ReplayOptions = {}): Promise<Answer[]> {
  options.signal?.throwIfAborted();
  const session = new Session(target, options);
  const answers: Answer[] = [];
  try {
    for (const exchange of traffic.exchanges) {
      const count = Math.min(exchange.repeat, (options.limit ?? Number.POSITIVE_INFINITY) - answers.length);
      if (count <= 0) break;
      answers.push(...(await session.sendRepeatedly(exchange, count)));
    }
    return answers;
  } finally {
    await session.close();
  }
}

class Session {
  readonly #pool: Pool;
  readonly #connections: number;
  readonly #timeoutMs: number;
  readonly #defaults: Record<string, string>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAnswer: (answer: Answer) => void;
  readonly #cookies = new CookieJar();
  readonly #captures: Captures = new Map();
  /** Fails whatever is under way; the failure is then told from others by the signal. */
  readonly #interrupt = (): void => void this.#pool.destroy(new Error('interrupted'));

  constructor({ origin, host }: Target, options: ReplayOptions) {
    const { connections = 1, timeoutMs = 30_000, signal, onAnswer = () => {} } = options;
    this.#pool = connectTo(origin, connections);
    this.#connections = connections;
    this.#timeoutMs = timeoutMs;
    this.#defaults = host === undefined ? {} : { host };
    this.#signal = signal;
    this.#onAnswer = onAnswer;
    signal?.addEventListener('abort', this.#interrupt);
  }

  async sendRepeatedly(exchange: Exchange, count: number): Promise<Answer[]> {
    const finders = Object.entries(exchange.capture ?? {}).map(([name, source]) => [name, finderOf(source)] as const);
    const answers: Answer[] = new Array(count);
    let next = 0;
    const sendInTurn = async (): Promise<void> => {
      while (next < count) {
        const iteration = next++;
        const answer = await this.#answerTo(exchange, iteration, finders);
        answers[iteration] = answer;
        this.#onAnswer(answer);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#connections, count) }, sendInTurn));
    return answers;
  }

  close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#interrupt);
    return this.#pool.destroy();
  }

  async #answerTo(exchange: Exchange, iteration: number, finders: (readonly [string, Finder])[]): Promise<Answer> {
    const path = pathOf(fillIn(exchange.path, this.#captures));
    const sent = { exchange: exchange.name, iteration, method: exchange.method, path };
    const headers = this.#headersFor(exchange, path);
    const body = typeof exchange.body === 'string' ? fillIn(exchange.body, this.#captures) : exchange.body;
    const start = performance.now();
    try {
      const { setCookies, ...received } = await send(
        this.#pool,
        { method: exchange.method, path, headers, body },
        this.#timeoutMs,
      );
      const micros = microsSince(start);
      for (const cookie of setCookies) this.#cookies.store(cookie, path);
      return { ...sent, micros, ...this.#judge(exchange, received, finders) };
    } catch (error) {
      this.#signal?.throwIfAborted();
      for (const [name] of finders) this.#captures.set(name, '');
      const unmet = [`no answer: ${reasonOf(error)}`];
      return { ...sent, status: 0, headers: {}, body: new Uint8Array(), micros: microsSince(start), unmet };
    }
  }

  #headersFor(exchange: Exchange, path: string): Record<string, string> {
    const headers = { ...this.#defaults };
    for (const [name, value] of Object.entries(exchange.headers)) headers[name] = fillIn(value, this.#captures);
    const cookie = this.#cookies.header(path);
    if (cookie !== undefined) headers.cookie ??= cookie;
    return headers;
  }

  /** Decodes the body, takes the captures, and checks what is expected. */
  #judge(
    { expect }: Exchange,
    { status, headers, body: sentBody }: Omit<Incoming, 'setCookies'>,
    finders: (readonly [string, Finder])[],
  ): Pick<Answer, 'status' | 'headers' | 'body' | 'unmet'> {
    const unmet: string[] = [];
    let body = sentBody;
    try {
      body = decodeBody(sentBody, headers['content-encoding']);
    } catch (error) {
      unmet.push(`body is not valid ${headers['content-encoding']}: ${(error as Error).message}`);
    }
    const answer = { status, headers, body };
    unmet.push(...unmetBy(answer, expect ?? {}, this.#captures));
    for (const [name, find] of finders) {
      const value = find(answer);
      if (value === undefined) unmet.push(`nothing to capture as {{${name}}} in the answer`);
      this.#captures.set(name, value ?? '');
    }
    return { ...answer, unmet };
  }
}

/** A captured absolute URL, as apps put into Location, asks the app under test by its path. */
function pathOf(path: string): string {
  return path.replace(/^https?:\/\/[^/?#]*/, '');
}

function microsSince(start: number): number {
  return Math.round((performance.now() - start) * 1000);
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const parts = [code, message].filter((part) => typeof part === 'string' && part !== '');
  return parts.join(', ') || String(error);
}
