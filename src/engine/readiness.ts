import { request } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Sends one GET on a connection of its own; the status, or undefined where nothing answered. */
function status(url: string, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = request(url, { agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
      response.once('error', () => resolve(undefined));
    });
    probe.once('timeout', () => probe.destroy());
    probe.once('error', () => resolve(undefined));
    probe.once('close', () => resolve(undefined));
    probe.end();
  });
}

/** Result of waiting for an app: when it first answered well (milliseconds since the epoch), or what it last said. */
export type Readiness = { readyAt: number } | { readyAt: undefined; lastStatus: number | undefined };

/**
 * Asks `url` until it answers with a status below 400 or `deadline` (milliseconds since the epoch) has passed.
 * Asks again after `pauseMs`, which bounds how exactly the moment of the first answer is known.
 */
export async function waitUntilReady(
  url: string,
  deadline: number,
  { pauseMs = 50, gone = () => false }: { pauseMs?: number; gone?: () => boolean } = {},
): Promise<Readiness> {
  let lastStatus: number | undefined;
  while (Date.now() < deadline && !gone()) {
    lastStatus = (await status(url, Math.max(1, deadline - Date.now()))) ?? lastStatus;
    if (lastStatus !== undefined && lastStatus < 400) return { readyAt: performance.timeOrigin + performance.now() };
    await sleep(pauseMs);
  }
  return { readyAt: undefined, lastStatus };
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
