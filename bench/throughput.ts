/**
 * Whether restored code is as fast as the code that was checkpointed: requests a second of todo-api before its checkpoint
 * and restored, and of the same app as it is without a snapshot.
 *
 *   node bench/throughput.ts [ROUNDS] [--no-build] [--record]
 *
 * - Before its checkpoint: the JIT variant under the launcher and the companion, with all variables of the container that
 *   `dotnet-snapshot build` checkpoints (`isa`, no W^X and others), warmed by the same traffic with src/warmup until the
 *   JIT is quiet. It is what a checkpoint would be taken of now. Only the container differs from the build's: it has
 *   production's flags, because the restored one does, and a seccomp filter costs each system call a little.
 * - Restored: a clone of the restore-ready image. It is not warmed again.
 * - As published: the JIT variant without launcher, companion and their variables, warmed by ten rounds of the traffic, as
 *   nothing tells there when the JIT is quiet. It shows what these variables cost or gain.
 *
 * Each round starts one container of each, one after the other, asks for 5 s what is not counted, and then counts for 10.
 * The client is this process, with 8 connections, each of which sends its next request when it has the answer to the last.
 * It takes its share of the same CPUs, of each alike; so there is also the server's own CPU time for each request, which
 * other work on the machine hardly changes. The requests read: one todo, a list of them, statistics, and the health check.
 *
 * Builds the images first (--no-build takes those of bench/startup.ts or of the last run). Prints the table of
 * docs/performance.md (--record puts it there); every sample is in out/bench/throughput.json. Six rounds take ten minutes.
 * Run it on an otherwise idle machine. Needs Node 24 (node_modules/.bin/node), Docker and the .NET SDK.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { CHECKPOINT_FOLDER } from '../src/checkpoint/checkpoint.ts';
import { Control } from '../src/checkpoint/control.ts';
import { imageFromReference } from '../src/image/app.ts';
import { warmableImage } from '../src/image/restoreReady.ts';
import { ensureRuntime, LAUNCHER, PREFIX, PROGRAMS } from '../src/image/runtime.ts';
import { readWarmInputs } from '../src/inputs.ts';
import { summarize } from '../src/statistics.ts';
import { parseTraffic } from '../src/traffic/parse.ts';
import { replay } from '../src/traffic/replay.ts';
import { send } from '../src/traffic/send.ts';
import { warmSpec } from '../src/warmup/container.ts';
import { warmup } from '../src/warmup/warmup.ts';
import { cpuTime, NO_CPU_TIME } from './lib/cpu-time.ts';
import { publishResult } from './lib/document.ts';
import { describeMachine, machine, OUT, ROOT, tools } from './lib/machine.ts';
import { type Answering, READY_PATH, type Startable, withStarted } from './lib/start.ts';
import { table } from './lib/table.ts';
import { buildSample, imageOf, JIT } from './lib/variants.ts';

const APP = { name: 'todo-api' };
const CONNECTIONS = 8;
const SETTLE_SECONDS = 5;
const COUNTED_SECONDS = 10;
const ROUNDS_AS_PUBLISHED = 10;

interface Side extends Startable {
  title: string;
  warm: (container: Answering) => Promise<unknown>;
}

interface Sample {
  perSecond: number;
  /** CPU time of the container for each request, in milliseconds. */
  cpuMillis: number | undefined;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'no-build': { type: 'boolean' }, record: { type: 'boolean' } },
});
const rounds = Number(positionals[0] ?? 6);

/** The three, in the order of the table. Their image for the first is removed when the run ends. */
async function sides(): Promise<Side[]> {
  const { docker, log, cleanup } = tools;
  const trafficFile = join(ROOT, 'samples', APP.name, 'traffic.yaml');
  const traffic = await parseTraffic(trafficFile);
  const jit = imageOf(APP, JIT.name);
  const given: Record<string, string> = { image: jit, traffic: trafficFile, 'ready-path': READY_PATH };
  const inputs = readWarmInputs((name) => given[name]);
  const app = await imageFromReference(jit, { tag: jit }, tools);
  const image = imageOf(APP, 'warmable');
  cleanup.defer(`image ${image}`, () => docker.removeImage(image));
  await warmableImage(app, await ensureRuntime(tools.runtimeDirectory, tools), image, tools);
  const paths = {
    launcher: LAUNCHER,
    companion: `${PREFIX}/companion/DotnetSnapshot.Companion.dll`,
    checkpoint: CHECKPOINT_FOLDER,
  };
  const { env = {} } = warmSpec(image, app, { ...inputs, publish: { host: 0, container: inputs.port } }, paths);

  const asTheBuildDoes = ({ id, origin }: Answering) => {
    const control = new Control(docker, id, PROGRAMS);
    const target = {
      origin,
      host: 'localhost',
      compiledMethods: async () => (await control.jit()).methods,
      runWarmups: async () => (await control.warm()).ran,
      running: async () => (await docker.state(id)).running,
      logs: () => docker.logs(id),
    };
    const options = { maxRounds: 30, maxMillis: inputs.warmupMillis };
    return warmup(target, traffic, options, { replay, log });
  };
  const byTrafficAlone = async ({ origin }: Answering) => {
    for (let round = 0; round < ROUNDS_AS_PUBLISHED; round++) {
      await replay(traffic, { origin, host: 'localhost' });
      // Under load the JIT waits.
      await sleep(1000);
    }
  };
  return [
    { title: 'Before its checkpoint', image, env, warm: asTheBuildDoes },
    { title: 'Restored', image: imageOf(APP, 'restored'), env: { DOTNET_SNAPSHOT: 'require' }, warm: async () => {} },
    { title: 'As published', image: jit, warm: byTrafficAlone },
  ];
}

/** Asks for so many seconds; resolves to what was answered, and in how long. Throws where an answer is not 200. */
async function load(
  pool: Pool,
  paths: readonly string[],
  seconds: number,
): Promise<{ answered: number; millis: number }> {
  const began = performance.now();
  const end = began + seconds * 1000;
  let answered = 0;
  const connection = async (first: number) => {
    for (let turn = first; performance.now() < end; turn++, answered++) {
      const path = paths[turn % paths.length]!;
      const { status } = await send(pool, { method: 'GET', path, headers: {}, body: undefined }, 30_000);
      if (status !== 200) throw new Error(`${path} had status ${status} under load`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, first) => connection(first)));
  return { answered, millis: performance.now() - began };
}

/** Adds 20 todos, and gives what is asked of them. */
async function fill(pool: Pool): Promise<string[]> {
  let location = '';
  for (let number = 1; number <= 20; number++) {
    const body = JSON.stringify({ title: `Number ${number}`, list: 'throughput' });
    const headers = { 'content-type': 'application/json' };
    const answer = await send(pool, { method: 'POST', path: '/todos', headers, body }, 30_000);
    location = answer.headers.location ?? '';
    if (answer.status !== 201 || !location) throw new Error(`a todo could not be added: status ${answer.status}`);
  }
  return [location.replace(/^https?:\/\/[^/]*/, ''), '/todos', '/todos/stats', READY_PATH];
}

function sample(side: Side): Promise<Sample> {
  return withStarted(side, async (container) => {
    await side.warm(container);
    const pool = new Pool(container.origin, { connections: CONNECTIONS, pipelining: 1 });
    try {
      const paths = await fill(pool);
      await load(pool, paths, SETTLE_SECONDS);
      const before = cpuTime(container.id);
      const { answered, millis } = await load(pool, paths, COUNTED_SECONDS);
      const after = cpuTime(container.id);
      const used = before === undefined || after === undefined ? undefined : after - before;
      return { perSecond: (answered / millis) * 1000, cpuMillis: used === undefined ? undefined : used / answered };
    } finally {
      await pool.destroy();
    }
  });
}

function tableOf(results: { title: string; samples: Sample[] }[]): string {
  const rates = results.map(({ samples }) => summarize(samples.map(({ perSecond }) => perSecond)));
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  const rows = results.map(({ title, samples }, index) => {
    const { median, q1, q3 } = rates[index]!;
    const cpu = samples.flatMap(({ cpuMillis }) => cpuMillis ?? []);
    const relative = (median / rates[0]!.median).toFixed(2);
    return [
      title,
      whole(median),
      `${whole(q1)}–${whole(q3)}`,
      relative,
      cpu.length > 0 ? `${whole(summarize(cpu).median * 1000)} µs` : '',
    ];
  });
  return table([['', 'Requests/s', 'Quartiles', 'Before its checkpoint = 1', 'CPU time of a request'], ...rows]);
}

try {
  if (!values['no-build']) await buildSample(APP.name);
  const results = (await sides()).map((side) => ({ side, title: side.title, samples: [] as Sample[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { side, samples } of results) samples.push(await sample(side));
    tools.log.info(`round ${round} of ${rounds}`);
  }
  const on = await machine();
  const cpuTimes = results.some(({ samples }) => samples.some(({ cpuMillis }) => cpuMillis !== undefined));
  if (!cpuTimes) tools.log.warning(NO_CPU_TIME);
  const parts = [
    `${describeMachine(on)}; ${APP.name}, ${CONNECTIONS} connections, ${rounds} rounds of ${COUNTED_SECONDS} s.`,
    tableOf(results),
    ...(cpuTimes ? [] : [`There are ${NO_CPU_TIME}.`]),
  ];
  await publishResult('throughput', parts.join('\n\n'), values.record);
  await mkdir(OUT, { recursive: true });
  const samples = results.map(({ title, samples }) => ({ title, samples }));
  await writeFile(join(OUT, 'throughput.json'), `${JSON.stringify({ machine: on, rounds, samples }, null, 2)}\n`);
} finally {
  await tools.docker.removeAll();
  await tools.cleanup.run();
}
