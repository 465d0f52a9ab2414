/**
 * What a registry stores of a restore-ready image beyond its base: the app's own layer, the runtime bundle's and the
 * snapshot's, compressed as registries do it.
 *
 *   node bench/size.ts [SAMPLE…] [--no-build] [--record]
 *
 * Builds the three samples (--no-build takes the images of bench/startup.ts or of the last run), and prints the table
 * of docs/performance.md (--record puts it there); the numbers are in out/bench/size.json. zstd -19 takes minutes. Needs Node 24
 * (node_modules/.bin/node), Docker, tar and the .NET SDK.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PREFIX } from '../src/image/runtime.ts';
import { compressedSize } from './lib/compress.ts';
import { publishResult } from './lib/document.ts';
import { OUT, tools } from './lib/machine.ts';
import { megabytes, table } from './lib/table.ts';
import { BASE_IMAGE, buildSample, imageOf } from './lib/variants.ts';

/** What the snapshot's layer may be larger than the app's own, both by zstd -3. */
const ALLOWANCE = 10e6;

/** What each part of an image holds, below the root; its layers are added up. */
const LAYERS = {
  app: ['app/'],
  bundle: ['bin/', 'companion/', 'licenses/'].map((folder) => `${PREFIX.slice(1)}/${folder}`),
  snapshot: ['pages', 'plan', 'manifest.json'].map((file) => `${PREFIX.slice(1)}/${file}`),
} as const;
type Layer = keyof typeof LAYERS;

const COMPRESSIONS = [
  { method: 'gzip', level: 6 },
  { method: 'zstd', level: 3 },
  { method: 'zstd', level: 19 },
] as const;
const TITLES = ['raw', ...COMPRESSIONS.map(({ method, level }) => `${method} -${level}`)];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'no-build': { type: 'boolean' }, record: { type: 'boolean' } },
});

const samples = positionals.length > 0 ? positionals : ['todo-api', 'mvc-shop', 'worker'];

/** Runs a program that must not fail; resolves to what it printed. */
async function output(argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await tools.run(argv);
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
}

/** Bytes of each layer, in the order of TITLES. */
async function layersOf(image: string): Promise<Record<Layer, number[]>> {
  const work = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-size-'));
  try {
    await output(['docker', 'save', '--output', join(work, 'image.tar'), image]);
    const extract = ['tar', '--extract', '--file', join(work, 'image.tar'), '--directory', work];
    await output([...extract, 'manifest.json']);
    const [{ Layers: layers }] = JSON.parse(await readFile(join(work, 'manifest.json'), 'utf8'));
    const base = JSON.parse(await output(['docker', 'image', 'inspect', BASE_IMAGE]))[0].RootFS.Layers.length;
    const own: string[] = layers.slice(base);
    await output([...extract, ...own]);
    const sizes: Partial<Record<Layer, number[]>> = {};
    for (const layer of own) {
      const names = (await output(['tar', '--list', '--file', join(work, layer)])).split('\n');
      // A folder's own entry is in layers that hold nothing of it, too.
      const kind = (Object.keys(LAYERS) as Layer[]).find((part) =>
        names.some((name) =>
          LAYERS[part].some((path) => name.startsWith(path) && (name !== path || !path.endsWith('/'))),
        ),
      );
      if (kind === undefined) continue;
      const more = await sizesOf(join(work, layer));
      sizes[kind] = more.map((size, index) => size + (sizes[kind]?.[index] ?? 0));
    }
    return sizes as Record<Layer, number[]>;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function sizesOf(file: string): Promise<number[]> {
  const sizes = [(await stat(file)).size];
  for (const { method, level } of COMPRESSIONS) sizes.push((await compressedSize(file, method, level)).written);
  return sizes;
}

for (const name of values['no-build'] ? [] : samples) await buildSample(name);

const rows = [['Sample', 'Layer', ...TITLES, 'Aim (app + 10 MB)']];
const all: Record<string, Record<Layer, number[]>> = {};
const zstd3 = TITLES.indexOf('zstd -3');
for (const name of samples) {
  const layers = await layersOf(imageOf({ name }, 'restored'));
  all[name] = layers;
  const limit = layers.app[zstd3]! + ALLOWANCE;
  for (const layer of Object.keys(LAYERS) as Layer[]) {
    const verdict = layers.snapshot[zstd3]! <= limit ? `${megabytes(limit)}: met` : `${megabytes(limit)}: missed`;
    rows.push([name, layer, ...layers[layer].map(megabytes), layer === 'snapshot' ? verdict : '']);
  }
}
await publishResult('size', table(rows), values.record);
await writeFile(
  join(OUT, 'size.json'),
  `${JSON.stringify({ unit: 'bytes', methods: TITLES, layers: all }, null, 2)}\n`,
);
