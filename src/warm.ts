import { preflight } from './checkpoint/checkpoint.ts';
import { Control } from './checkpoint/control.ts';
import type { Docker } from './engine/docker.ts';
import { freePort, waitUntilReady } from './engine/readiness.ts';
import { SnapshotError } from './errors.ts';
import { warmableImage } from './image/restoreReady.ts';
import { LAUNCHER, PREFIX } from './image/runtime.ts';
import type { Inputs } from './inputs.ts';
import type { Replay } from './model/index.ts';
import type { Prepared } from './prepare.ts';
import type { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { replay } from './traffic/replay.ts';
import { warmSpec } from './warmup/container.ts';
import { type Warmup, warmup } from './warmup/warmup.ts';

/** The replayer as the stages get it: the app sees the same host whichever port its container is reached at. */
export const replayToApp: Replay = (traffic, target, options) =>
  replay(traffic, target, { ...options, host: 'localhost' });

/** A running, warmed app. */
export interface Warmed {
  container: string;
  control: Control;
  criuVersion: string;
  warmup: Warmup;
}

/** Starts the app in a container that can be checkpointed, and warms it. Throws DS3001, DS3002, DS3004, DS3005, DS5001. */
export async function warm(
  inputs: Inputs,
  prepared: Prepared,
  tools: Tools,
  stages: Stages,
  maxRounds: number,
): Promise<Warmed> {
  const { docker, cleanup } = tools;
  const image = `dotnet-snapshot/${prepared.name}:warm-${Date.now().toString(36)}`;
  cleanup.defer(`image ${image}`, () => docker.removeImage(image));
  return stages.run('warmup', async () => {
    await warmableImage(prepared.app, prepared.runtime, image, tools);
    const host = await freePort();
    const origin = `http://127.0.0.1:${host}`;
    const options = {
      env: inputs.env,
      publish: { host, container: inputs.port },
      ...(inputs.network !== undefined && { network: inputs.network }),
    };
    const paths = { launcher: LAUNCHER, companion: `${PREFIX}/companion/DotnetSnapshot.Companion.dll` };
    const container = await docker.create(warmSpec(image, prepared.app, options, paths));
    cleanup.defer(`container ${container.slice(0, 12)}`, () => docker.remove(container));
    await docker.start(container);
    const control = new Control(docker, container, LAUNCHER);
    await requireReady(container, origin + inputs.readyPath, inputs.readyMillis, docker);
    const criuVersion = await preflight(control);
    const warmed = await warmup(
      {
        origin,
        compiledMethods: async () => (await control.jit()).methods,
        running: async () => (await docker.state(container)).running,
        logs: () => docker.logs(container),
      },
      prepared.traffic,
      { maxRounds, maxMillis: inputs.warmupMillis },
      { replay: replayToApp, log: tools.log },
    );
    return { container, control, criuVersion, warmup: warmed };
  });
}

async function requireReady(container: string, url: string, millis: number, docker: Docker): Promise<void> {
  let gone = false;
  const end = () => {
    gone = true;
  };
  docker.wait(container).then(end, end);
  const readiness = await waitUntilReady(url, Date.now() + millis, { gone: () => gone });
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
