/**
 * How start-up, image and build grow with the live heap: an app that builds 10, 100 and 1000 MB of objects before its
 * first answer, started cold and restored, in turn.
 *
 *   node bench/growth.ts [ROUNDS] [--record] [--sizes MB,MB]
 *
 * Prints the table of docs/performance.md (--record puts it there); the samples are in out/bench/growth.json. Needs about
 * four times the largest size in memory and five times in disk, Node 24 (node_modules/.bin/node), Docker and the .NET SDK.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Report } from '../src/model/index.ts';
import { compressedSize } from './lib/compress.ts';
import { publishResult } from './lib/document.ts';
import { describeMachine, machine, OUT, tools } from './lib/machine.ts';
import { megabytes, ms, table } from './lib/table.ts';
import { buildRestored, buildVariant, imageOf, JIT } from './lib/variants.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sizes: { type: 'string' }, record: { type: 'boolean' } },
});
const rounds = Number(positionals[0] ?? 10);
const sizes = (values.sizes ?? '10,100,1000').split(',').map(Number);
const app = { name: 'heap', project: 'bench/apps/heap' };

interface Result {
  heapMegabytes: number;
  report: Report;
  /** Pages of the process, in bytes. */
  pages: number;
  /** The same by zstd -3. */
  compressed: number;
}

/** Builds the snapshot of an app with that much live heap, which measures its starts; leaves no image. */
async function grow(heapMegabytes: number): Promise<Result> {
  const name = `${app.name}-${heapMegabytes}`;
  const tag = imageOf({ name }, 'restored');
  const flags = ['--pairs', String(rounds), '--clones', '1', '--ready-timeout', '300'];
  try {
    await tools.log.group(`${heapMegabytes} MB`, () =>
      buildRestored(name, imageOf(app, JIT.name), tag, 'bench/apps/heap/traffic.yaml', [
        ...flags,
        '--env',
        `HEAP_MB=${heapMegabytes}`,
      ]),
    );
    const checkpoint = join(OUT, name, 'snapshot', 'checkpoint');
    const report: Report = JSON.parse(await readFile(join(OUT, name, 'report.json'), 'utf8'));
    const { read, written } = await compressedSize(join(checkpoint, 'pages-1.img'), 'zstd', 3);
    return { heapMegabytes, report, pages: read, compressed: written };
  } finally {
    await tools.docker.removeImage(tag);
    await rm(join(OUT, name, 'snapshot'), { recursive: true, force: true });
  }
}

function tableOf(results: Result[]): string {
  const head = [
    'Live heap',
    'Cold',
    'Restored',
    'Faster',
    'Pages',
    'zstd -3',
    'Image',
    'Checkpoint',
    'Build in all',
    'of it scan',
  ];
  const rows = results.map(({ heapMegabytes, report, pages, compressed }) => {
    const { startupMs, imageBytes } = report.measurements;
    const span = ({ median, q1, q3 }: typeof startupMs.cold) => `${ms(median)} ms (${ms(q1)}–${ms(q3)})`;
    const seconds = (millis: number) => `${(millis / 1000).toFixed(1)} s`;
    const stage = (name: string) => report.stages.find((one) => one.name === name)?.millis ?? 0;
    // What is done with the image once it is there is measurement, not part of a build's growth.
    const build = report.stages.filter(({ name }) => name !== 'measure').reduce((sum, { millis }) => sum + millis, 0);
    return [
      `${heapMegabytes} MB`,
      span(startupMs.cold),
      span(startupMs.restored),
      `${(startupMs.cold.median / startupMs.restored.median).toFixed(1)}×`,
      megabytes(pages),
      megabytes(compressed),
      megabytes(imageBytes.restoreReady),
      seconds(stage('checkpoint')),
      seconds(build),
      seconds(stage('scan')),
    ];
  });
  return table([head, ...rows]);
}

try {
  await buildVariant(app, JIT);
  const results: Result[] = [];
  for (const size of sizes) results.push(await grow(size));
  const on = await machine();
  const parts = [`${describeMachine(on)}; ${rounds} rounds.`, tableOf(results)];
  const [first, last] = [results[0]!, results.at(-1)!];
  if (last !== first) {
    const restored = ({ report }: Result) => report.measurements.startupMs.restored.median;
    const slope = (restored(last) - restored(first)) / ((last.pages - first.pages) / 1e6);
    parts.push(`A restore takes ${slope.toFixed(2)} ms more for each further megabyte of pages.`);
  }
  await publishResult('growth', parts.join('\n\n'), values.record);
  await writeFile(join(OUT, 'growth.json'), `${JSON.stringify({ machine: on, rounds, results }, null, 2)}\n`);
} finally {
  await tools.docker.removeAll();
  await tools.cleanup.run();
}
