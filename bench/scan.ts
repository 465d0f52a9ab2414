/**
 * How fast dumps are searched for secrets and how many are found: by `dotnet-snapshot scan`, and by what users would
 * pick instead, on the same files.
 *
 *   node bench/scan.ts [SAMPLE|FOLDER…] [--rounds N] [--seed N] [--only TITLE,TITLE] [--no-build] [--record]
 *
 * Takes the snapshots that the other benchmarks left in out/bench and builds those that are missing (unless --no-build);
 * a folder is taken as it is. Each round runs every scanner once on each, so that what the machine does meanwhile hits
 * all alike; a process's start counts. Then every scanner searches a copy with secrets planted: each kind that has a
 * form of its own, in every encoding, fresh for each run (--seed N has the same again). What is not installed is left
 * out, and said. Prints the table of docs/performance.md (--record puts it there); every sample is in
 * out/bench/scan.json. Run it on an otherwise idle machine, after `npm run build`. Needs Node 24
 * (node_modules/.bin/node); to build samples, Docker and the .NET SDK.
 */
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { summarize } from '../src/statistics.ts';
import { KINDS } from '../test/unit/scan/kinds.ts';
import { Random } from '../test/unit/scan/random.ts';
import { type Cell, cells, compare, nameOf } from '../test/unit/scan/recall.ts';
import { publishResult } from './lib/document.ts';
import { describeMachine, machine, OUT, tools } from './lib/machine.ts';
import { Marks } from './lib/marks.ts';
import { plantInto } from './lib/plant.ts';
import { type Scanner, scanners } from './lib/scanners.ts';
import { table } from './lib/table.ts';
import { buildSample } from './lib/variants.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string' },
    only: { type: 'string' },
    'no-build': { type: 'boolean' },
    record: { type: 'boolean' },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? randomInt(2 ** 31));

interface Dump {
  name: string;
  folder: string;
  /** Of all its files. */
  bytes: number;
}

interface Result {
  title: string;
  /** Milliseconds, by dump, in the order of rounds. */
  millis: Record<string, number[]>;
  /** Matches in dumps that nothing was planted in. */
  falseAlarms: number;
  /** Planted secrets that were found and that there are, by class. */
  recall: Record<string, { found: number; planted: number }>;
  missed: string[];
}

/** What planted secrets are counted by, in the order of the table. */
const CLASSES = ['plain text', 'UTF-16LE', 'encoded', 'compressed', 'keys in binary'] as const;

function classOf({ encoding, planted }: Cell): (typeof CLASSES)[number] {
  if (/gzip|br|deflate/.test(encoding.chain)) return 'compressed';
  if (encoding.chain === 'utf-8') return Buffer.isBuffer(planted.plain) ? 'keys in binary' : 'plain text';
  return encoding.chain === 'utf-16le' ? 'UTF-16LE' : 'encoded';
}

/** The images of a sample's snapshot, made if they are not there; or of a folder. */
async function dumpOf(name: string): Promise<Dump> {
  const isFolder = name.includes('/');
  const folder = isFolder ? name : join(OUT, name, 'snapshot', 'checkpoint');
  if (!existsSync(folder)) {
    if (isFolder || values['no-build']) throw new Error(`There is no snapshot in ${folder}`);
    await buildSample(name);
  }
  const sizes = await Promise.all((await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size));
  return {
    name: basename(name.replace(/(\/snapshot)?(\/checkpoint)?\/?$/, '')),
    folder,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

async function timed(scanner: Scanner, { folder }: Dump) {
  const started = performance.now();
  const told = await scanner.search(folder);
  return { told, millis: told.millis ?? performance.now() - started };
}

/** Which planted secrets a scanner finds in each dump: by what it prints, or where it says that they are. */
async function recallOf(results: Map<Scanner, Result>, dump: Dump, random: Random): Promise<void> {
  const known = KINDS.filter((kind) => kind.make(new Random(1)).known);
  const planted = cells(
    random,
    KINDS.filter((kind) => !known.includes(kind)),
  );
  const folder = join(OUT, 'scan', dump.name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, '..'), { recursive: true });
  try {
    const stored = planted.map((cell) => cell.stored);
    const spots = await plantInto(dump.folder, folder, stored, random);
    const marks = new Marks(planted);
    for (const [scanner, result] of results) {
      if (scanner.speedOnly) continue;
      const { findings, output } = await scanner.search(folder);
      const missed = findings ? new Set(compare(planted, spots, findings).missed) : undefined;
      const found = missed ? new Set(planted.filter((cell) => !missed.has(cell))) : marks.foundIn(output);
      for (const cell of planted) {
        const { found: before, planted: sum } = result.recall[classOf(cell)] ?? { found: 0, planted: 0 };
        result.recall[classOf(cell)] = { found: before + (found.has(cell) ? 1 : 0), planted: sum + 1 };
        if (!found.has(cell)) result.missed.push(`${dump.name}: ${nameOf(cell)}`);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rowOf({ title, millis, falseAlarms, recall }: Result, dumps: readonly Dump[]): string[] {
  const bytes = dumps.reduce((sum, dump) => sum + dump.bytes, 0);
  const totals = Array.from({ length: rounds }, (_, round) =>
    dumps.reduce((sum, { name }) => sum + millis[name]![round]!, 0),
  );
  const speed = summarize(totals.map((total) => bytes / 1e3 / total));
  const figure = (value: number) => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
  const all = { found: 0, planted: 0 };
  for (const { found, planted } of Object.values(recall)) {
    all.found += found;
    all.planted += planted;
  }
  const percent = ({ found, planted }: { found: number; planted: number } = { found: 0, planted: 0 }) => {
    if (planted === 0) return '';
    // Nothing but all is 100.
    return `${found === planted ? 100 : Math.min(99.9, Math.floor((1000 * found) / planted) / 10)} %`;
  };
  return [
    title,
    `${figure(speed.median)} MB/s (${figure(speed.q1)}–${figure(speed.q3)})`,
    percent(all),
    ...CLASSES.map((name) => percent(recall[name])),
    all.planted === 0 ? '' : String(falseAlarms),
  ];
}

try {
  const dumps: Dump[] = [];
  for (const name of positionals.length > 0 ? positionals : ['todo-api', 'mvc-shop', 'worker'])
    dumps.push(await dumpOf(name));
  const { present, missing } = await scanners();
  const chosen = present.filter(({ title }) => values.only?.split(',').some((part) => title.includes(part)) ?? true);
  const results = new Map<Scanner, Result>(
    chosen.map((scanner) => [scanner, { title: scanner.title, millis: {}, falseAlarms: 0, recall: {}, missed: [] }]),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const dump of dumps) {
      for (const [scanner, result] of results) {
        const { told, millis } = await timed(scanner, dump);
        result.millis[dump.name] = [...(result.millis[dump.name] ?? []), millis];
        if (round === 1) result.falseAlarms += told.matches;
        tools.log.info(`round ${round}, ${dump.name}, ${scanner.title}: ${(millis / 1e3).toFixed(2)} s`);
      }
    }
  }
  const random = new Random(seed);
  for (const dump of dumps) await tools.log.group(`planting in ${dump.name}`, () => recallOf(results, dump, random));

  const on = await machine();
  const planted = Object.values([...results.values()][0]?.recall ?? {}).reduce((sum, one) => sum + one.planted, 0);
  const megabytes = dumps.map(({ name, bytes }) => `${name} (${Math.round(bytes / 1e6)} MB)`).join(', ');
  const head = ['', 'Speed', 'Found', ...CLASSES, 'False alarms'];
  const parts = [
    `${describeMachine(on)}; ${rounds} rounds over ${megabytes}; ${planted.toLocaleString('en')} secrets planted.`,
    table([head, ...[...results.values()].map((result) => rowOf(result, dumps))]),
    ...(missing.length > 0 ? [`Not on this machine, so not in the table: ${missing.join(', ')}.`] : []),
  ];
  await publishResult('scan', parts.join('\n\n'), values.record);
  const file = join(OUT, 'scan.json');
  await mkdir(OUT, { recursive: true });
  await writeFile(
    file,
    `${JSON.stringify({ machine: on, seed, rounds, dumps, results: [...results.values()] }, null, 2)}\n`,
  );
} finally {
  await tools.docker.removeAll();
  await tools.cleanup.run();
}
