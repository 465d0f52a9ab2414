/**
 * How long a start takes, from the container's StartedAt to the first 200, for every way to publish an app and for its
 * snapshot: JIT, ReadyToRun, composite, NativeAOT, restored. Below all lies the floor: a static program in the same
 * container.
 *
 *   node bench/startup.ts [ROUNDS] [--no-build] [--record] [--only APP,APP]
 *
 * Builds all variants first, which takes minutes (--no-build takes the images of the last run). Then each round starts
 * every variant once, so that what the machine does meanwhile hits all alike; each container is gone before the next
 * starts. A second pass drops the page cache before each start, which needs root. Prints the tables of
 * docs/performance.md (--record puts them there); every sample is in out/bench/startup.json. Run it on an otherwise
 * idle machine. Needs Node 24 (node_modules/.bin/node), Docker and the .NET SDK; for NativeAOT also clang or gcc, and
 * zlib1g-dev.
 */
import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { summarize } from '../src/statistics.ts';
import { publishResult } from './lib/document.ts';
import { describeMachine, machine, OUT, tools } from './lib/machine.ts';
import { type Startable, start } from './lib/start.ts';
import { ms, table } from './lib/table.ts';
import { type App, buildFloor, buildRestored, buildVariant, imageOf, JIT, VARIANTS } from './lib/variants.ts';

const APPS: (App & { traffic: string })[] = [
  // Its framework is not in the base image, so each variant brings its own.
  { name: 'minimal', project: 'bench/apps/minimal', traffic: 'bench/apps/minimal/traffic.yaml', selfContained: true },
  ...['todo-api', 'mvc-shop', 'worker'].map((name) => ({
    name,
    project: `samples/${name}`,
    traffic: `samples/${name}/traffic.yaml`,
  })),
];
const RESTORED = 'Restored';
const FLOOR = 'Floor';
const DROP_CACHES = '/proc/sys/vm/drop_caches';

interface Contestant extends Startable {
  app: string;
  title: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'no-build': { type: 'boolean' }, record: { type: 'boolean' }, only: { type: 'string' } },
});
const rounds = Number(positionals[0] ?? 20);
const apps = APPS.filter(({ name }) => values.only?.split(',').includes(name) ?? true);
const leftOut: Record<string, string> = {};

/** Does `work`; where it fails, says why this variant is left out. */
async function orLeaveOut(app: string, title: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    const { message, detail } = error as Error & { detail?: string };
    const why = detail?.split('\n').find((line) => /error/i.test(line)) ?? message.split('\n')[0]!;
    leftOut[`${app}, ${title}`] = why.replace(/^.*?\berror\s+/i, '').replace(/\s*\[[^\]]*\]$/, '');
    tools.log.warning(`left out: ${app}, ${title}: ${why}`);
    return false;
  }
}

async function buildAll(): Promise<void> {
  await buildFloor();
  for (const app of apps) {
    for (const variant of VARIANTS) await orLeaveOut(app.name, variant.title, () => buildVariant(app, variant));
    const tag = imageOf(app, 'restored');
    await tools.log.group(`building ${tag}`, () =>
      buildRestored(app.name, imageOf(app, JIT.name), tag, app.traffic, ['--pairs', '1']),
    );
  }
}

/** Every variant that has an image and answers. The first start of each is not counted. */
async function contestants(): Promise<Contestant[]> {
  const all: Contestant[] = [
    { app: FLOOR, title: FLOOR, image: imageOf({ name: 'floor' }, 'static') },
    ...apps.flatMap((app) => [
      ...VARIANTS.map(({ name, title }) => ({ app: app.name, title, image: imageOf(app, name) })),
      { app: app.name, title: RESTORED, image: imageOf(app, 'restored'), env: { DOTNET_SNAPSHOT: 'require' } },
    ]),
  ];
  const able: Contestant[] = [];
  for (const contestant of all)
    if (await tools.docker.image(contestant.image))
      if (await orLeaveOut(contestant.app, contestant.title, () => start(contestant, { timeoutMs: 10_000 })))
        able.push(contestant);
  return able;
}

/** Samples in milliseconds, of the contestants in their order. */
async function measure(all: Contestant[], beforeEach: () => Promise<void>): Promise<number[][]> {
  const samples: number[][] = all.map(() => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [index, contestant] of all.entries()) {
      await beforeEach();
      samples[index]!.push(await start(contestant));
    }
    tools.log.info(`round ${round} of ${rounds}`);
  }
  return samples;
}

async function dropPageCache(): Promise<void> {
  await tools.run(['sync']);
  await writeFile(DROP_CACHES, '3');
}

function tablesOf(all: Contestant[], samples: number[][]): string {
  const summaries = samples.map(summarize);
  const floor = summaries[0]!.median;
  const medianOf = (app: string, title: string) =>
    summaries[all.findIndex((one) => one.app === app && one.title === title)]?.median;
  const head = ['', 'Median', 'Quartiles', 'Range', 'Without the floor', 'Faster than JIT', 'NativeAOT minimal = 1'];
  const rowsOf = (app: string) =>
    all.flatMap((one, index) => {
      if (one.app !== app) return [];
      const { median, q1, q3, min, max } = summaries[index]!;
      const jit = medianOf(app, JIT.title);
      const aot = medianOf('minimal', 'NativeAOT');
      return [
        [
          one.title,
          `${ms(median)} ms`,
          `${ms(q1)}–${ms(q3)}`,
          `${ms(min)}–${ms(max)}`,
          app === FLOOR ? '' : `${ms(median - floor)} ms`,
          jit ? `${(jit / median).toFixed(1)}×` : '',
          aot && app !== FLOOR ? (median / aot).toFixed(2) : '',
        ],
      ];
    });
  return [FLOOR, ...apps.map(({ name }) => name)]
    .map((app) => `**${app}**\n\n${table([head, ...rowsOf(app)])}`)
    .join('\n\n');
}

try {
  if (!values['no-build']) await buildAll();
  const all = await contestants();
  const on = await machine();
  const passes: Record<string, number[][]> = { 'Warm page cache': await measure(all, async () => {}) };
  const mayDrop = await access(DROP_CACHES, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (mayDrop) passes['Cold page cache'] = await measure(all, dropPageCache);
  else tools.log.warning(`no pass with a cold page cache: ${DROP_CACHES} can't be written (needs root)`);

  const parts = [
    `${describeMachine(on)}; ${rounds} rounds.`,
    ...Object.entries(passes).map(([pass, samples]) => `### ${pass}\n\n${tablesOf(all, samples)}`),
    ...Object.entries(leftOut).map(([what, why]) => `Left out: ${what}: ${why}`),
  ];
  await publishResult('startup', parts.join('\n\n'), values.record);

  const file = join(OUT, 'startup.json');
  await mkdir(OUT, { recursive: true });
  const variants = all.map(({ app, title }, index) => ({
    app,
    variant: title,
    ...Object.fromEntries(Object.entries(passes).map(([pass, samples]) => [pass, samples[index]])),
  }));
  await writeFile(file, `${JSON.stringify({ machine: on, rounds, unit: 'ms', variants, leftOut }, null, 2)}\n`);
} finally {
  await tools.docker.removeAll();
  await tools.cleanup.run();
}
