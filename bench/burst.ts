/**
 * How long it takes until the last of many containers answers that are started at once, as when a service is scaled up
 * on one machine: the minimal API by the JIT, as NativeAOT and restored, and the floor, a static program in the same
 * container.
 *
 *   node bench/burst.ts [ROUNDS] [--count N] [--no-build] [--record]
 *
 * Builds the variants first (--no-build takes the images of bench/startup.ts or of the last run). Then each round has one
 * burst of each variant: N times `docker run --detach`, all at once, with production's flags and no limit of the CPU.
 * Counted from before the first of them, so Docker's own work is in all figures alike; the floor is that and hardly more.
 * A container is asked every 10 ms, once its `docker run` has returned. The page cache is warm.
 *
 * Prints the table of docs/performance.md (--record puts it there); every sample is in out/bench/burst.json. Run it on an
 * otherwise idle machine. Needs what bench/startup.ts needs, and memory for N containers of the JIT variant.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { containerArguments, productionSpec } from '../src/engine/container.ts';
import { freePort, untilAnswers } from '../src/engine/readiness.ts';
import { percentile, summarize } from '../src/statistics.ts';
import { buildAll, type Contestant, contestants, FLOOR, LeftOut, MINIMAL, nameOf } from './lib/contestants.ts';
import { cpuTime, NO_CPU_TIME } from './lib/cpu-time.ts';
import { publishResult } from './lib/document.ts';
import { describeMachine, machine, OUT, tools } from './lib/machine.ts';
import { READY_PATH } from './lib/start.ts';
import { ms, table } from './lib/table.ts';
import { VARIANTS } from './lib/variants.ts';

const TIMEOUT_MS = 120_000;

/** Oftener, the asking would take the CPU from what is asked. */
const PAUSE_MS = 10;

interface Burst {
  /** From the first `docker run` to the answer of each container, in milliseconds, ascending. */
  answers: number[];
  /** CPU time of each container until its answer, where that can be read. */
  cpuMillis: number[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string' }, 'no-build': { type: 'boolean' }, record: { type: 'boolean' } },
});
const rounds = Number(positionals[0] ?? 5);
const count = Number(values.count ?? 20);
const variants = VARIANTS.filter(({ name }) => name === 'jit' || name === 'aot');
const leftOut = new LeftOut();

const now = () => performance.timeOrigin + performance.now();

/** Starts all at once; none is left. Throws where one does not answer. */
async function burst({ image, env = {} }: Contestant): Promise<Burst> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  const names = [...ports].map((port) => `dotnet-snapshot-burst-${port}`);
  const began = now();
  const one = async (host: number, name: string) => {
    const spec = { ...productionSpec(image), env, name, publish: { host, container: 8080 } };
    const { code, stdout, stderr } = await tools.run(['docker', 'run', '--detach', ...containerArguments(spec)]);
    if (code !== 0) throw new Error(`${image} can't be started: ${stderr}`);
    const asked = { port: host, path: READY_PATH, host: 'localhost', protocol: 'http' } as const;
    const { readyAt } = await untilAnswers(asked, { deadline: Date.now() + TIMEOUT_MS, pauseMs: PAUSE_MS });
    if (readyAt === undefined) throw new Error(`${image}: one of ${count} did not answer`);
    return { answer: readyAt - began, cpu: cpuTime(stdout.trim()) };
  };
  try {
    // All of them end before any is removed: one that is still being started would be left.
    const settled = await Promise.allSettled([...ports].map((port, index) => one(port, names[index]!)));
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const all = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    return {
      answers: all.map(({ answer }) => answer).sort((a, b) => a - b),
      cpuMillis: all.flatMap(({ cpu }) => cpu ?? []),
    };
  } finally {
    await tools.run(['docker', 'rm', '--force', '--volumes', ...names]);
  }
}

function tableOf(results: { contestant: Contestant; bursts: Burst[] }[]): string {
  const median = (samples: number[]) => percentile(samples, 0.5);
  const lastOf = (bursts: Burst[]) => summarize(bursts.map(({ answers }) => answers.at(-1)!));
  const floor = results.find(({ contestant }) => contestant.app === FLOOR);
  const rows = results.map(({ contestant, bursts }) => {
    const last = lastOf(bursts);
    const cpu = bursts.flatMap(({ cpuMillis }) => cpuMillis);
    return [
      nameOf(contestant),
      `${ms(last.median)} ms`,
      `${ms(last.q1)}–${ms(last.q3)}`,
      `${ms(median(bursts.map(({ answers }) => median(answers))))} ms`,
      floor && contestant.app !== FLOOR ? `${ms(last.median - lastOf(floor.bursts).median)} ms` : '',
      cpu.length > 0 ? `${ms(median(cpu))} ms` : '',
    ];
  });
  return table([['', 'The last', 'Quartiles', 'Half of them', 'Without the floor', 'CPU time of each'], ...rows]);
}

try {
  if (!values['no-build']) await buildAll([MINIMAL], variants, leftOut);
  const all = (await contestants([MINIMAL], variants, leftOut)).map((contestant) => ({
    contestant,
    bursts: [] as Burst[],
  }));
  for (let round = 1; round <= rounds; round++) {
    for (const { contestant, bursts } of all) {
      const done = await leftOut.unless(`${nameOf(contestant)}: round ${round}`, () => burst(contestant));
      if (done) bursts.push(done);
    }
    tools.log.info(`round ${round} of ${rounds}`);
  }
  const results = all.filter(({ bursts }) => bursts.length > 0);
  const on = await machine();
  const cpuTimes = results.some(({ bursts }) => bursts.some(({ cpuMillis }) => cpuMillis.length > 0));
  if (!cpuTimes) tools.log.warning(NO_CPU_TIME);
  const parts = [
    `${describeMachine(on)}; ${count} containers at once, ${rounds} rounds.`,
    tableOf(results),
    ...leftOut.lines(),
    ...(cpuTimes ? [] : [`There are ${NO_CPU_TIME}.`]),
  ];
  await publishResult('burst', parts.join('\n\n'), values.record);
  await mkdir(OUT, { recursive: true });
  const samples = { machine: on, rounds, count, unit: 'ms', results, leftOut: leftOut.reasons };
  await writeFile(join(OUT, 'burst.json'), `${JSON.stringify(samples, null, 2)}\n`);
} finally {
  await tools.docker.removeAll();
  await tools.cleanup.run();
}
