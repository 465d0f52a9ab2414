import { coldSpec, notRestored, notStarted } from '../engine/cold.ts';
import { type ContainerSpec, productionSpec } from '../engine/container.ts';
import type { Docker } from '../engine/docker.ts';
import { freePort } from '../engine/readiness.ts';
import { targetOf, untilReady } from '../engine/ready.ts';
import type { Log } from '../log.ts';
import type { Access, FirstRequests, Measurements, Places, Replay, StartupPair, Traffic } from '../model/index.ts';
import { percentile, summarize } from '../statistics.ts';

export interface MeasureOptions {
  appImage: string;
  appUser: string;
  restoreReadyImage: string;
  access: Access;
  /** Path of the launcher in the restore-ready image. */
  launcher: string;
  /** The user's variables; a restored app takes over those of its container, as a cold one does. */
  env: Record<string, string>;
  network?: string;
  places: Places;
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
  const { appImage, appUser, restoreReadyImage: image, env, access, places } = options;
  const cold: ContainerSpec = {
    ...coldSpec({ image, cold: { image: appImage, user: appUser }, access, env, places }),
    ...common,
  };
  const restored: ContainerSpec = {
    ...productionSpec(options.restoreReadyImage, options.places),
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
  const { access, launcher } = options;
  const host = await freePort();
  const container = await docker.create({ ...spec, publish: { host, container: access.port } });
  // Asked earlier, a connection would hang in the port's proxy until the kernel repeats its SYN after a second.
  await docker.start(container);
  const restored = spec.env?.DOTNET_SNAPSHOT === 'require';
  const readiness = await untilReady({ container, host, launcher, restored }, access, docker, {
    deadline: Date.now() + access.readyMillis,
    pauseMs: 1,
  });
  if (readiness.readyAt === undefined)
    throw await (restored ? notRestored : notStarted)(container, readiness.why, access, docker);
  const { startedAt } = await docker.state(container);
  const answers = await replay(traffic, targetOf(access, host), { limit: FIRST_REQUESTS });
  const micros = answers.map((answer) => answer.micros);
  return {
    container,
    startupMs: readiness.readyAt - startedAt,
    latencies: {
      n: micros.length,
      ...(micros.length > 0 ? { p50: percentile(micros, 0.5), p99: percentile(micros, 0.99) } : { p50: 0, p99: 0 }),
    },
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
