import { setTimeout as sleep } from 'node:timers/promises';
import { productionSpec } from '../engine/container.ts';
import type { Docker } from '../engine/docker.ts';
import { freePort } from '../engine/readiness.ts';
import { type StartedApp, targetOf, untilReady } from '../engine/ready.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Answer, Replay, Target, Traffic } from '../model/index.ts';
import type { CloneOptions } from './clone.ts';
import { compareAnswers, type Difference, formatDifferences, learnReference, printable } from './compare.ts';

/** What the comparison works with. */
export interface ProductionTools {
  docker: Docker;
  replay: Replay;
  /** Ports that programs of a container listen on. */
  ports: (container: string) => Promise<number[]>;
  log: Log;
}

/** A container as it was seen. */
interface Seen {
  ports: number[];
  /** Of each replay. */
  answers: Answer[][];
  log: string;
}

/** Ports from here on are handed out by the kernel, to whoever asks for any. */
const EPHEMERAL = 32_768;

/** More settings than this are not tried one by one. */
const MOST_TRIED = 8;

/** How often a container that starts is looked at, in milliseconds. */
const PAUSE = 200;

/** The least time for a clone to be ready where the app listens that was started normally, in milliseconds. */
const LEAST_PATIENCE = 10_000;

/**
 * Compares a container of the image with the app as it starts normally, both with `productionEnv` on top of `env`: the ports and
 * the answers. Throws DS5013 with the names of the settings where they differ, DS3001 where the app itself does not become
 * ready with them.
 */
export async function compareInProduction(
  traffic: Traffic,
  productionEnv: Record<string, string>,
  options: CloneOptions,
  tools: ProductionTools,
): Promise<void> {
  const names = Object.keys(productionEnv);
  if (names.length === 0) return;
  const found = await differencesWith(productionEnv, traffic, options, tools);
  for (const line of found.normalStarts)
    tools.log.warning(`With production-env no container is restored: ${printable(line)}`);
  const others = found.lines.size > 0 ? await differencesWith({}, traffic, options, tools) : found;
  const lines = [...found.lines].filter(([place]) => !others.lines.has(place)).map(([, line]) => line);
  if (found.lines.size === 0 || lines.length === 0) {
    tools.log.info(`with production-env (${names.join(', ')}) it answers as the app does that is started normally`);
    return;
  }
  const culprits = await namesThatDiffer(productionEnv, new Set(others.lines.keys()), traffic, options, tools);
  const what = culprits.length > 0 ? culprits.join(', ') : names.join(', ');
  throw new SnapshotError(
    'DS5013',
    `With production-env a clone is not what the app is when it starts normally: ${what} differ${culprits.length === 1 || names.length === 1 ? 's' : ''}.`,
    { detail: lines.slice(0, 20).join('\n') },
  );
}

/** The settings that lead to a difference by themselves. */
async function namesThatDiffer(
  productionEnv: Record<string, string>,
  known: ReadonlySet<string>,
  traffic: Traffic,
  options: CloneOptions,
  tools: ProductionTools,
): Promise<string[]> {
  const settings = Object.entries(productionEnv);
  if (settings.length === 1) return Object.keys(productionEnv);
  if (settings.length > MOST_TRIED) return [];
  const names: string[] = [];
  for (const [name, value] of settings) {
    const { lines } = await differencesWith({ [name]: value }, traffic, options, tools);
    if ([...lines.keys()].some((place) => !known.has(place))) names.push(name);
  }
  return names;
}

/** What differs, by its place, in a line each; and why the image started normally, where it did. */
async function differencesWith(
  settings: Record<string, string>,
  traffic: Traffic,
  options: CloneOptions,
  tools: ProductionTools,
): Promise<{ lines: Map<string, string>; normalStarts: string[] }> {
  const env = { ...options.env, ...settings };
  const cold = await startedNormally(traffic, { ...options, env }, tools);
  const access = { ...options.access, port: cold.port };
  const clone = await withContainer({ ...options, env, access }, tools, async (app, target) => {
    // Nothing may run in the container while it is restored.
    const patience = Math.min(access.readyMillis, Math.max(LEAST_PATIENCE, 3 * cold.millis));
    const deadline = Date.now() + patience;
    const { readyAt } = await untilReady({ ...app, restored: true }, access, tools.docker, { deadline });
    const log = await tools.docker.logs(app.container);
    // What is known to be ready by a sign of its restore gives none where it starts normally, as the build did.
    const ready = readyAt !== undefined || (access.ready.by !== 'http' && normalStartsIn(log).length > 0);
    return {
      ports: await tools.ports(app.container),
      answers: ready ? [await tools.replay(traffic, target)] : [],
      log,
    };
  });
  const normalStarts = normalStartsIn(clone.log);
  return { lines: differences(cold.seen, clone, Object.values(settings)), normalStarts };
}

function normalStartsIn(log: string): string[] {
  return log.match(/^DS\d{4} .*; starting normally$/gm) ?? [];
}

/** What differs between the app and a clone of it. */
export function differences(cold: Seen, clone: Seen, settings: readonly string[]): Map<string, string> {
  const lines = new Map<string, string>();
  const counts = (port: number) => port < EPHEMERAL || settings.some((value) => value.includes(String(port)));
  for (const port of cold.ports.filter((one) => counts(one) && !clone.ports.includes(one)))
    lines.set(`port ${port}`, `port ${port}: only the app that was started normally listens there`);
  for (const port of clone.ports.filter((one) => counts(one) && !cold.ports.includes(one)))
    lines.set(`port ${port}`, `port ${port}: only the clone listens there`);
  const [first, second, ...more] = cold.answers;
  if (!first || !second || clone.answers.length === 0) {
    lines.set('answers', 'the clone did not answer where the app does that was started normally');
    return lines;
  }
  const unmet = new Set(cold.answers.flat().flatMap((answer) => answer.unmet.map((what) => answer.exchange + what)));
  const differing: Difference[] = compareAnswers(learnReference(first, second, ...more), clone.answers.flat());
  for (const difference of differing)
    if (difference.what !== 'expectation' || !unmet.has(difference.exchange + difference.actual))
      lines.set(`${difference.exchange} ${difference.what}`, formatDifferences([difference]));
  return lines;
}

/** The app without its snapshot, wherever it listens. */
async function startedNormally(
  traffic: Traffic,
  options: CloneOptions,
  tools: ProductionTools,
): Promise<{ seen: Seen; port: number; millis: number }> {
  const started = Date.now();
  const normally = { ...options, env: { ...options.env, DOTNET_SNAPSHOT: 'off' } };
  const deadline = started + options.access.readyMillis;
  const look = async (app: Omit<StartedApp, 'restored'>, target: Target): Promise<Seen | number> => {
    const asked = ['http', 'port'].includes(options.access.ready.by);
    let ports: number[] = [];
    while (asked && ports.length === 0 && Date.now() < deadline) {
      await sleep(PAUSE);
      ports = await tools.ports(app.container);
    }
    if (ports.length > 0 && !ports.includes(normally.access.port)) return ports[0]!;
    const { readyAt } = await untilReady({ ...app, restored: false }, normally.access, tools.docker, { deadline });
    const log = await tools.docker.logs(app.container);
    if (readyAt === undefined)
      throw new SnapshotError('DS3001', 'With production-env the app is not ready when it is started normally.', {
        detail: log,
        fix: 'Give production-env what the app needs to start, for instance addresses that it can reach from here.',
      });
    const answers = [await tools.replay(traffic, target), await tools.replay(traffic, target)];
    return { ports: await tools.ports(app.container), answers, log };
  };
  let seen = await withContainer(normally, tools, look);
  if (typeof seen === 'number') {
    normally.access = { ...normally.access, port: seen };
    seen = await withContainer(normally, tools, look);
  }
  if (typeof seen === 'number')
    throw new SnapshotError('DS3001', 'With production-env the app listens on another port at each start.');
  return { seen, port: normally.access.port, millis: Date.now() - started };
}

async function withContainer<T>(
  { image, env, access, launcher, places, network }: CloneOptions,
  { docker }: ProductionTools,
  use: (app: Omit<StartedApp, 'restored'>, target: Target) => Promise<T>,
): Promise<T> {
  const host = await freePort();
  const spec = { ...productionSpec(image, places), env, publish: { host, container: access.port } };
  const container = await docker.create({ ...spec, ...(network !== undefined && { network }) });
  try {
    await docker.start(container);
    return await use({ container, host, launcher }, targetOf(access, host));
  } finally {
    await docker.remove(container);
  }
}
