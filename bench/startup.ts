/**
 * How long a start takes, from the container's StartedAt to the first 200, for every way to publish an app and for its
 * snapshot: JIT, ReadyToRun, composite, NativeAOT, restored. Below all lies the floor: a static program in the same
 * container.
 *
 *   node bench/startup.ts [ROUNDS] [--no-build] [--record] [--only APP,APP]
 *
 * Builds all variants first, which takes minutes (--no-build takes the images of the last run). Then each round starts
 * every variant once, so that what the machine does meanwhile hits all alike; each container is gone before the next
 * starts. A second pass drops the page cache before each start, which needs root. A third one gives each container half
 * a CPU, and sends it 100 requests. What can't be built or does not answer is left out, and named below the tables.
 *
 * The CPU time is that of the container's cgroup until the first answer is there. It includes what the container runtime
 * does inside before it starts the program; the floor shows how much that is. The steps of a restore are those that the
 * launcher tells in /dev/shm/dotnet-snapshot.json.
 *
 * Prints the tables of docs/performance.md (--record puts them there); every sample is in out/bench/startup.json. Run it
 * on an otherwise idle machine. Needs Node 24 (node_modules/.bin/node), Docker and the .NET SDK; for NativeAOT also clang
 * or gcc, and zlib1g-dev.
 */
import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { APPS, buildAll, type Contestant, contestants, FLOOR, LeftOut, nameOf, RESTORED } from './lib/contestants.ts';
import { NO_CPU_TIME } from './lib/cpu-time.ts';
import { publishResult } from './lib/document.ts';
import { describeMachine, machine, OUT, tools } from './lib/machine.ts';
import { start } from './lib/start.ts';
import { latencyTable, type Result, startTables, stepsTable } from './lib/startup-tables.ts';
import { VARIANTS } from './lib/variants.ts';

const DROP_CACHES = '/proc/sys/vm/drop_caches';

/** The conditions under which every contestant is started. */
interface Pass {
  title: string;
  /** Done before each start. */
  before?: () => Promise<void>;
  limits?: readonly string[];
  /** How many are sent after the first answer. */
  requests?: number;
}

const WARM: Pass = { title: 'Warm page cache' };
const COLD: Pass = { title: 'Cold page cache', before: dropPageCache };
const HALF: Pass = { title: 'Half a CPU', limits: ['--cpus', '0.5'], requests: 100 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'no-build': { type: 'boolean' }, record: { type: 'boolean' }, only: { type: 'string' } },
});
const rounds = Number(positionals[0] ?? 20);
const apps = APPS.filter(({ name }) => values.only?.split(',').includes(name) ?? true);
const leftOut = new LeftOut();

/** The results of those that answered, in the order of the contestants. */
async function measure(all: readonly Contestant[], { title, before, limits = [], requests = 0 }: Pass) {
  const results: Result[] = all.map((one) => ({ app: one.app, title: one.title, starts: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const [index, contestant] of all.entries()) {
      await before?.();
      const options = {
        // The floor closes each connection, so it has no further requests.
        requests: contestant.app === FLOOR ? 0 : requests,
        restored: contestant.title === RESTORED,
      };
      const what = `${nameOf(contestant)}: ${title}, round ${round}`;
      const one = await leftOut.unless(what, () => start({ ...contestant, limits }, options));
      if (one) results[index]!.starts.push(one);
    }
    tools.log.info(`${title}: round ${round} of ${rounds}`);
  }
  return results.filter(({ starts }) => starts.length > 0);
}

async function dropPageCache(): Promise<void> {
  await tools.run(['sync']);
  await writeFile(DROP_CACHES, '3');
}

async function mayDropPageCache(): Promise<boolean> {
  const may = await access(DROP_CACHES, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!may) tools.log.warning(`no pass with a cold page cache: ${DROP_CACHES} can't be written (needs root)`);
  return may;
}

try {
  if (!values['no-build']) await buildAll(apps, VARIANTS, leftOut);
  const all = await contestants(apps, VARIANTS, leftOut);
  const on = await machine();
  const passes: Record<string, Result[]> = {};
  for (const pass of (await mayDropPageCache()) ? [WARM, COLD, HALF] : [WARM, HALF])
    passes[pass.title] = await measure(all, pass);

  const latencies = latencyTable(passes[HALF.title]!);
  const starts = Object.values(passes).flatMap((results) => results.flatMap((one) => one.starts));
  const cpuTimes = starts.some(({ cpuMillis }) => cpuMillis !== undefined);
  if (!cpuTimes) tools.log.warning(NO_CPU_TIME);
  const conditions = `${describeMachine(on)}; ${rounds} rounds.`;
  const parts = [
    conditions,
    ...Object.entries(passes).map(([pass, results]) => `### ${pass}\n\n${startTables(results)}`),
    ...(latencies ? [`### First ${HALF.requests} requests, half a CPU\n\n${latencies}`] : []),
    ...leftOut.lines(),
    ...(cpuTimes ? [] : [`There are ${NO_CPU_TIME}.`]),
  ];
  await publishResult('startup', parts.join('\n\n'), values.record);
  const steps = stepsTable(passes);
  if (steps) await publishResult('steps', `${conditions} Milliseconds, medians.\n\n${steps}`, values.record);
  else tools.log.warning('no steps: no container told any');

  await mkdir(OUT, { recursive: true });
  const samples = { machine: on, rounds, unit: 'ms', passes, leftOut: leftOut.reasons };
  await writeFile(join(OUT, 'startup.json'), `${JSON.stringify(samples, null, 2)}\n`);
} finally {
  await tools.docker.removeAll();
  await tools.cleanup.run();
}
