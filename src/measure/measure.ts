import { type ContainerSpec, productionSpec } from '../engine/container.ts';
import type { Docker } from '../engine/docker.ts';
import { freePort, waitUntilReady } from '../engine/readiness.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { FirstRequests, Measurements, Replay, StartupPair, Traffic } from '../model/index.ts';
import { percentile, summarize } from '../statistics.ts';

export interface MeasureOptions {
  appImage: string;
  appUser: string;
  restoreReadyImage: string;
  port: number;
  readyPath: string;
  readyMillis: number;
  /** The user's variables; a restored app takes over those of its container, as a cold one does. */
  env: Record<string, string>;
  network?: string;
  /** How many pairs of a cold and a restored start, at least 1. */
  pairs: number;
}

/** Requests whose latency is reported. */
const FIRST_REQUESTS = 100;

interface Start {
  container: string;
  startupMs: number;
  latencies: { p50: number; p99: number; n: number };
}

/**
 * Starts the app cold and restored in turn, so that what the machine does meanwhile hits both alike, and reports
 * medians and spread. Both run as the image's user, without capabilities, with the engine's seccomp profile and a
 * read-only root.
 */
export async function measure(
  traffic: Traffic,
  options: MeasureOptions,
  { docker, replay, log }: { docker: Docker; replay: Replay; log: Log },
): Promise<Measurements> {
  const common = { ...(options.network !== undefined && { network: options.network }) };
  const cold: ContainerSpec = {
    ...productionSpec(options.appImage),
    ...common,
    user: options.appUser,
    env: options.env,
  };
  const restored: ContainerSpec = {
    ...productionSpec(options.restoreReadyImage),
    ...common,
    env: { ...options.env, DOTNET_SNAPSHOT: 'require' },
  };
  const starts: { cold: Start; restored: Start }[] = [];
  for (let pair = 1; pair <= options.pairs; pair++) {
    const previous = starts.at(-1);
    if (previous) await removeBoth(docker, previous);
    const pairOfStarts = {
      cold: await start(cold, traffic, options, docker, replay),
      restored: await start(restored, traffic, options, docker, replay),
    };
    starts.push(pairOfStarts);
    log.info(
      `pair ${pair} of ${options.pairs}: cold ${pairOfStarts.cold.startupMs.toFixed(0)} ms, restored ${pairOfStarts.restored.startupMs.toFixed(0)} ms`,
    );
  }
  const last = starts.at(-1)!;
  const [coldBytes, restoredBytes] = await docker.memory([last.cold.container, last.restored.container]);
  await removeBoth(docker, last);

  const pairs: StartupPair[] = starts.map((pair) => ({
    coldMs: pair.cold.startupMs,
    restoredMs: pair.restored.startupMs,
  }));
  return {
    pairs,
    startupMs: {
      cold: summarize(pairs.map(({ coldMs }) => coldMs)),
      restored: summarize(pairs.map(({ restoredMs }) => restoredMs)),
    },
    firstRequestsMicros: {
      cold: medianOf(starts.map((pair) => pair.cold.latencies)),
      restored: medianOf(starts.map((pair) => pair.restored.latencies)),
    },
    memoryBytes: { cold: coldBytes!, restored: restoredBytes! },
    imageBytes: {
      app: (await docker.requireImage(options.appImage)).size,
      restoreReady: (await docker.requireImage(options.restoreReadyImage)).size,
    },
  };
}

/** One start, from the container's StartedAt to the first good answer, then the first requests of the traffic. */
async function start(
  spec: ContainerSpec,
  traffic: Traffic,
  options: MeasureOptions,
  docker: Docker,
  replay: Replay,
): Promise<Start> {
  const host = await freePort();
  const container = await docker.create({ ...spec, publish: { host, container: options.port } });
  const origin = `http://127.0.0.1:${host}`;
  // Asked earlier, a connection would hang in the port's proxy until the kernel repeats its SYN after a second.
  await docker.start(container);
  const readiness = await waitUntilReady(origin + options.readyPath, Date.now() + options.readyMillis, { pauseMs: 1 });
  if (readiness.readyAt === undefined)
    throw new SnapshotError('DS5002', 'A container that was started to be measured did not answer.', {
      detail: await docker.logs(container),
    });
  const { startedAt } = await docker.state(container);
  const answers = await replay(traffic, { origin }, { limit: FIRST_REQUESTS });
  const micros = answers.map((answer) => answer.micros);
  return {
    container,
    startupMs: readiness.readyAt - startedAt,
    latencies: { n: micros.length, p50: percentile(micros, 0.5), p99: percentile(micros, 0.99) },
  };
}

function medianOf(latencies: FirstRequests[]): FirstRequests {
  const median = (values: number[]) => Math.round(percentile(values, 0.5));
  return {
    n: latencies[0]!.n,
    p50: median(latencies.map(({ p50 }) => p50)),
    p99: median(latencies.map(({ p99 }) => p99)),
  };
}

async function removeBoth(docker: Docker, pair: { cold: Start; restored: Start }): Promise<void> {
  await docker.remove(pair.cold.container);
  await docker.remove(pair.restored.container);
}
