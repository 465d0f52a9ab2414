import { CHECKPOINT_FOLDER, preflight } from './checkpoint/checkpoint.ts';
import { Control } from './checkpoint/control.ts';
import { freePort } from './engine/readiness.ts';
import { targetOf } from './engine/ready.ts';
import { SnapshotError } from './errors.ts';
import { warmableImage } from './image/restoreReady.ts';
import { LAUNCHER, PREFIX, PROGRAMS } from './image/runtime.ts';
import type { WarmInputs } from './inputs.ts';
import type { Access, Answer, Manifest, Traffic } from './model/index.ts';
import { NO_TRAFFIC, type PreparedApp } from './prepare.ts';
import { requireReady } from './requireReady.ts';
import { secretVariables, variablesAtBuild } from './secrets/atBuild.ts';
import type { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { hostOf } from './traffic/host.ts';
import { replay } from './traffic/replay.ts';
import { setByBuild, warmSpec } from './warmup/container.ts';
import { explainForbidden, requirePlaces } from './warmup/places.ts';
import { commandRounds, type Warmup, warmup, warmupActions } from './warmup/warmup.ts';

/** An app that may have traffic to be warmed with. */
export type Warmable = PreparedApp & { traffic?: Traffic };

/** What is replayed to warm the app; undefined where it is only started. */
function trafficFor({ checkpointAt }: WarmInputs, { traffic }: Warmable): Traffic | undefined {
  return checkpointAt === 'warmed' && traffic?.exchanges.length ? traffic : undefined;
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
  /** How it is met, in each further container of it. */
  access: Access;
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
 * DS3012, DS5001.
 */
export async function warm(
  inputs: WarmInputs,
  prepared: Warmable,
  tools: Tools,
  stages: Stages,
  { maxRounds = 30, keepWith, onAnswers }: WarmOptions = {},
): Promise<Warmed> {
  const { docker, cleanup } = tools;
  const key = docker.runKey;
  const image = `dotnet-snapshot/${prepared.name}:warm-${key}`;
  const container = `dotnet-snapshot-${prepared.name}-${key}`;
  const forget = [
    cleanup.defer(`image ${image}`, () => docker.removeImage(image)),
    cleanup.defer(`container ${container}`, () => docker.remove(container)),
  ];
  requirePlaces(inputs.places, prepared.app);
  let set: string[] = [];
  const work = stages.run('warmup', async () => {
    await warmableImage(prepared.app, prepared.runtime, image, tools);
    const host = await freePort();
    const variables = variablesAtBuild(inputs.secretsAtBuild, inputs.env, tools.log);
    const named = hostNamed(inputs, prepared.traffic);
    const asked = accessOf(inputs, named);
    const secrets = secretVariables(inputs.secretsAtBuild, inputs.env);
    const options = {
      ...inputs,
      env: variables.env,
      secretVariables: secrets,
      publish: { host, container: inputs.port },
    };
    const paths = {
      launcher: LAUNCHER,
      companion: `${PREFIX}/companion/DotnetSnapshot.Companion.dll`,
      checkpoint: CHECKPOINT_FOLDER,
    };
    const spec = warmSpec(image, prepared.app, options, paths);
    set = setByBuild(spec.env, variables.env);
    await docker.create({
      ...spec,
      name: container,
      ...(keepWith && { labels: keepWith(variables.texts), outlivesRun: true }),
    });
    await docker.start(container);
    const control = new Control(docker, container, PROGRAMS);
    const readiness = requireReady({ container, host, launcher: LAUNCHER, restored: false }, asked, {
      ...tools,
      control,
      hostIsGiven: named !== undefined,
      asksHttp: Boolean(prepared.traffic?.exchanges.length),
    });
    // An app that ends or is never ready is told by its readiness; one without a companion, as soon as that is known.
    const hello = control.hello(readiness).catch(async (error) => {
      if (!(error instanceof SnapshotError && error.code === 'DS3012')) await readiness;
      throw error;
    });
    const [access] = await Promise.all([readiness, hello]);
    const criuVersion = await preflight(control);
    const { origin } = targetOf(access, host);
    const target = {
      ...targetOf(access, host),
      compiledMethods: async () => (await control.jit()).methods,
      runWarmups: async () => (await control.warm()).ran,
      running: async () => (await docker.state(container)).running,
      logs: () => docker.logs(container),
    };
    const traffic = trafficFor(inputs, prepared);
    const rounds = { maxRounds, maxMillis: inputs.warmupMillis };
    const toolsOfRounds = { replay, log: tools.log, ...(onAnswers && { onAnswers }) };
    const runCommand = inputs.checkpointAt === 'warmed' && inputs.warmupCommand;
    // Where nobody but the app itself gives it work to do; `warm` leaves an app with HTTP to others.
    const idle = inputs.ready.by === 'http' || prepared.traffic?.exchanges.length || inputs.checkpointAt === 'ready';
    const seconds = idle ? 0 : inputs.warmupSeconds;
    const warmed = traffic
      ? await warmup(target, traffic, rounds, toolsOfRounds)
      : runCommand
        ? await warmup(target, NO_TRAFFIC, rounds, {
            ...toolsOfRounds,
            replay: commandRounds(runCommand, (argv) => docker.exec(container, argv)),
          })
        : await warmupActions(target, tools.log, seconds);
    const keep = () => {
      for (const entry of forget) entry();
    };
    return { container, origin, access, control, criuVersion, warmup: warmed, placeholders: variables.texts, keep };
  });
  return work.catch(async (error) => {
    const explained = explainForbidden(error, await docker.logs(container), prepared.app);
    if (!(explained instanceof SnapshotError && explained.code === 'DS3002' && set.length > 0)) throw explained;
    const { running, exitCode } = await docker.state(container);
    if (running) throw explained;
    throw new SnapshotError('DS3002', explained.message, {
      fix: explained.fix,
      detail: `${explained.detail ?? ''}\nThe container ended with exit code ${exitCode}. The build had set for the app: ${set.join(', ')}.`,
    });
  });
}

/** The Host that input or traffic name; undefined where neither does. */
export function hostNamed(inputs: Pick<WarmInputs, 'host'>, traffic: Traffic | undefined): string | undefined {
  return inputs.host ?? (traffic && hostOf(traffic));
}

/** How an app is met; `host` is what input or traffic name. */
export function accessOf(
  inputs: Pick<WarmInputs, 'port' | 'ready' | 'readyPath' | 'readyMillis'>,
  host?: string,
): Access {
  const { port, ready, readyPath, readyMillis } = inputs;
  return { port, ready, readyPath, readyMillis, host: host ?? 'localhost' };
}
