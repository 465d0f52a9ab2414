import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Protocol } from '../model/index.ts';
import { type Met, probeAny } from './probe.ts';

/** Result of asking an app until it answers: when it first answered well (milliseconds since the epoch), or what was last met. */
export type Answers =
  | { readyAt: number; protocol: Protocol; host: string }
  | { readyAt: undefined; met: Met | undefined };

/** Where an app is asked on this machine; the protocol is found out where it is not given. */
export interface Asked {
  port: number;
  path: string;
  host: string;
  protocol?: Protocol | undefined;
}

/** How an app is waited for. */
export interface Waiting {
  /** Milliseconds since the epoch. */
  deadline: number;
  /** Pause after a failure: how exactly the moment of the first answer is known. */
  pauseMs?: number;
  /** Whether waiting has become pointless. */
  gone?: () => boolean;
  /** Called with what each failed attempt met. May throw where waiting can't help, or return another Host to ask by. */
  onMet?: (met: Met) => Promise<{ host: string } | undefined>;
}

/** Asks until an answer has a status below 400 or the deadline has passed. */
export async function untilAnswers(
  { port, path, ...by }: Asked,
  { deadline, pauseMs = 50, gone = () => false, onMet }: Waiting,
): Promise<Answers> {
  let { host, protocol } = by;
  let last: Met | undefined;
  while (Date.now() < deadline && !gone()) {
    const { met, protocol: spoken } = await probeAny(
      port,
      protocol,
      { path, host },
      Math.max(1, deadline - Date.now()),
    );
    if (met.status !== undefined && met.status < 400)
      return { readyAt: performance.timeOrigin + performance.now(), protocol: spoken ?? 'http', host };
    // What answered with an error tells more than a connection that failed later.
    if (met.status !== undefined || last?.status === undefined) last = met;
    const change = await onMet?.(met);
    if (change) host = change.host;
    else await sleep(pauseMs);
    if (met.status !== undefined) protocol = spoken;
  }
  return { readyAt: undefined, met: last };
}

/** A port of the loopback address that nothing listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
