import { Client } from 'undici';
import { productionSpec } from '../../src/engine/container.ts';
import { freePort, untilAnswers } from '../../src/engine/readiness.ts';
import { percentile } from '../../src/statistics.ts';
import { send } from '../../src/traffic/send.ts';
import { cpuTime } from './cpu-time.ts';
import { tools } from './machine.ts';

/** What is asked until it answers. */
export const READY_PATH = '/healthz';

/** Where the launcher leaves what it did. */
const OUTCOME = '/dev/shm/dotnet-snapshot.json';

/** What a variant is started from. */
export interface Startable {
  image: string;
  env?: Record<string, string>;
  /** Flags of `docker update` that hold for the container from its start on, such as `--cpus 0.5`. */
  limits?: readonly string[];
}

/** A container that has just answered for the first time. */
export interface Answering {
  id: string;
  origin: string;
  /** When it answered, in milliseconds since the epoch. */
  readyAt: number;
  /** CPU time until then in milliseconds, see {@link cpuTime}. */
  cpuMillis: number | undefined;
}

/** One start, in milliseconds. */
export interface Start {
  /** From the container's StartedAt to its first answer below 400, the way src/measure counts. */
  millis: number;
  cpuMillis: number | undefined;
  /** Of the first requests after that answer, where some were asked for. */
  latency: { p50: number; p99: number } | undefined;
  /** How long each step of a restore took, in their order. */
  steps: Record<string, number> | undefined;
}

/**
 * Starts a container as production does and hands it to `use` when it has answered; it is gone afterwards. Throws where
 * nothing answers.
 */
export async function withStarted<T>(
  { image, env = {}, limits = [] }: Startable,
  use: (container: Answering) => Promise<T>,
  { timeoutMs = 30_000 } = {},
): Promise<T> {
  const { docker } = tools;
  const host = await freePort();
  const id = await docker.create({ ...productionSpec(image), env, publish: { host, container: 8080 } });
  try {
    if (limits.length > 0) {
      const { code, stderr } = await tools.run(['docker', 'update', ...limits, id]);
      if (code !== 0) throw new Error(`${image} can't be given ${limits.join(' ')}: ${stderr}`);
    }
    await docker.start(id);
    const origin = `http://127.0.0.1:${host}`;
    const asked = { port: host, path: READY_PATH, host: 'localhost', protocol: 'http' } as const;
    const { readyAt } = await untilAnswers(asked, { deadline: Date.now() + timeoutMs, pauseMs: 1 });
    const cpuMillis = cpuTime(id);
    if (readyAt === undefined) {
      const log = await docker.logs(id);
      const told = /^dotnet-snapshot: .*/m.exec(log)?.[0] ?? 'see its log';
      throw new Error(`${image} did not answer: ${told}\n${log}`);
    }
    return await use({ id, origin, readyAt, cpuMillis });
  } finally {
    await docker.remove(id);
  }
}

/**
 * One start, and then as many `requests`; with `restored` it is asked for its steps. Throws where nothing answers, and
 * where a request fails.
 */
export function start(
  startable: Startable,
  { requests = 0, restored = false, ...options }: { requests?: number; restored?: boolean; timeoutMs?: number } = {},
): Promise<Start> {
  return withStarted(
    startable,
    async ({ id, origin, readyAt, cpuMillis }) => {
      // First of all: whatever else is done meanwhile gives the app time.
      const latency = requests > 0 ? await firstRequests(origin, requests) : undefined;
      const { startedAt } = await tools.docker.state(id);
      return { millis: readyAt - startedAt, cpuMillis, latency, steps: restored ? await stepsOf(id) : undefined };
    },
    options,
  );
}

/** Sends requests one after the other on one connection, which the first of them opens. */
async function firstRequests(origin: string, count: number): Promise<Start['latency']> {
  const client = new Client(origin);
  const millis: number[] = [];
  try {
    while (millis.length < count) {
      const sent = performance.now();
      const request = { method: 'GET', path: READY_PATH, headers: {}, body: undefined };
      const { status } = await send(client, request, 30_000);
      millis.push(performance.now() - sent);
      if (status >= 400) throw new Error(`request ${millis.length} after the first answer had status ${status}`);
    }
  } finally {
    await client.destroy();
  }
  return { p50: percentile(millis, 0.5), p99: percentile(millis, 0.99) };
}

/** Undefined where the launcher wrote no steps, or where nothing in the container can show them. */
async function stepsOf(id: string): Promise<Start['steps']> {
  const { code, stdout } = await tools.docker.exec(id, ['cat', OUTCOME]);
  return code === 0 ? (JSON.parse(stdout) as { steps?: Record<string, number> }).steps : undefined;
}
