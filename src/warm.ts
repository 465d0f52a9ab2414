import { preflight } from './checkpoint/checkpoint.ts';
import { Control } from './checkpoint/control.ts';
import type { Docker } from './engine/docker.ts';
import { freePort, waitUntilReady } from './engine/readiness.ts';
import { SnapshotError } from './errors.ts';
import { warmableImage } from './image/restoreReady.ts';
import { LAUNCHER, PREFIX, PROGRAMS } from './image/runtime.ts';
import type { WarmInputs } from './inputs.ts';
import type { Answer, Manifest, Replay, Traffic } from './model/index.ts';
import type { PreparedApp } from './prepare.ts';
import { variablesAtBuild } from './secrets/atBuild.ts';
import type { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { replay } from './traffic/replay.ts';
import { warmSpec } from './warmup/container.ts';
import { type Warmup, warmup, warmupActions } from './warmup/warmup.ts';

/** The replayer as the stages get it: the app sees the same host whichever port its container is reached at. */
export const replayToApp: Replay = (traffic, target, options) =>
  replay(traffic, target, { ...options, host: 'localhost' });

/** An app that may have traffic to be warmed with. */
export type Warmable = PreparedApp & { traffic?: Traffic };

/** What is replayed to warm the app; undefined where it is only started. */
function trafficFor({ checkpointAt }: WarmInputs, { traffic }: Warmable): Traffic | undefined {
  return checkpointAt === 'warmed' ? traffic : undefined;
}

/** What the manifest says of the traffic that the app is warmed with; undefined where it is only started. */
export function warmedWith(inputs: WarmInputs, prepared: Warmable): Manifest['traffic'] {
  const traffic = trafficFor(inputs, prepared);
  return (
    traffic && {
      digest: traffic.digest,
      requests: traffic.exchanges.reduce((sum, { repeat }) => sum + repeat, 0),
    }
  );
}

/** A running, warmed app. */
export interface Warmed {
  /** Name of its container. */
  container: string;
  /** Where it answers on this machine. */
  origin: string;
  control: Control;
  criuVersion: string;
  warmup: Warmup;
  /** Texts of the fakes that it has in place of secrets. */
  placeholders: readonly string[];
  /** Leaves container and image when the run ends. */
  keep: () => void;
}

export interface WarmOptions {
  /** The most rounds of the traffic; steady apps need a handful. */
  maxRounds?: number;
  /** Called with the answers of each round. */
  onAnswers?: (answers: readonly Answer[]) => void;
  /** Labels of a container that is to be kept; it does not get the run's own. */
  keepWith?: (placeholders: readonly string[]) => Record<string, string>;
}

/**
 * Starts the app in a container that can be checkpointed, and warms it: by the traffic, or by its own warmup actions
 * alone where there is none or the checkpoint is taken at readiness. Throws DS3001, DS3002, DS3004, DS3005, DS3007,
 * DS5001.
 */
export async function warm(
  inputs: WarmInputs,
  prepared: Warmable,
  tools: Tools,
  stages: Stages,
  { maxRounds = 30, keepWith, onAnswers }: WarmOptions = {},
): Promise<Warmed> {
  const { docker, cleanup } = tools;
  const key = Date.now().toString(36);
  const image = `dotnet-snapshot/${prepared.name}:warm-${key}`;
  const container = `dotnet-snapshot-${prepared.name}-${key}`;
  const forget = [
    cleanup.defer(`image ${image}`, () => docker.removeImage(image)),
    cleanup.defer(`container ${container}`, () => docker.remove(container)),
  ];
  return stages.run('warmup', async () => {
    await warmableImage(prepared.app, prepared.runtime, image, tools);
    const host = await freePort();
    const origin = `http://127.0.0.1:${host}`;
    const variables = variablesAtBuild(inputs.secretsAtBuild, inputs.env, tools.log);
    const options = { ...inputs, env: variables.env, publish: { host, container: inputs.port } };
    const paths = { launcher: LAUNCHER, companion: `${PREFIX}/companion/DotnetSnapshot.Companion.dll` };
    await docker.create({
      ...warmSpec(image, prepared.app, options, paths),
      name: container,
      ...(keepWith && { labels: keepWith(variables.texts), outlivesRun: true }),
    });
    await docker.start(container);
    const control = new Control(docker, container, PROGRAMS);
    await requireReady(container, origin + inputs.readyPath, inputs.readyMillis, docker);
    const criuVersion = await preflight(control);
    const target = {
      origin,
      compiledMethods: async () => (await control.jit()).methods,
      runWarmups: async () => (await control.warm()).ran,
      running: async () => (await docker.state(container)).running,
      logs: () => docker.logs(container),
    };
    const traffic = trafficFor(inputs, prepared);
    const rounds = { maxRounds, maxMillis: inputs.warmupMillis };
    const warmed = traffic
      ? await warmup(target, traffic, rounds, { replay: replayToApp, log: tools.log, ...(onAnswers && { onAnswers }) })
      : await warmupActions(target, tools.log);
    const keep = () => {
      for (const entry of forget) entry();
    };
    return { container, origin, control, criuVersion, warmup: warmed, placeholders: variables.texts, keep };
  });
}

async function requireReady(container: string, url: string, millis: number, docker: Docker): Promise<void> {
  let gone = false;
  // `docker wait` would go on for as long as a container that is to be kept, and this process with it.
  const watch = setInterval(async () => {
    gone ||= !(await docker.state(container).catch(() => ({ running: false }))).running;
  }, 500);
  const readiness = await waitUntilReady(url, Date.now() + millis, { gone: () => gone }).finally(() =>
    clearInterval(watch),
  );
  if (readiness.readyAt !== undefined) return;
  const { running, exitCode } = await docker.state(container);
  const detail = await docker.logs(container);
  if (!running)
    throw new SnapshotError('DS3002', `The app ended with exit code ${exitCode} before it was ready.`, { detail });
  const answer =
    readiness.lastStatus === undefined ? 'nothing answered' : `the last answer had status ${readiness.lastStatus}`;
  throw new SnapshotError(
    'DS3001',
    `The app was not ready after ${millis / 1000} s: ${answer} at ${new URL(url).pathname}.`,
    { detail },
  );
}
