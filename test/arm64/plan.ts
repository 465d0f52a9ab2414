// What the build does on the host: `plan.ts environment` prints the variables that the app is warmed with; `plan.ts compile
// CHECKPOINT OUTPUT [TOUCHED]` makes plan and pages from what the guest's step `checkpoint` wrote, and from the ranges
// that its step `record` did.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFiles } from '../../src/checkpoint/imageFiles.ts';
import { PREFIX } from '../../src/image/runtime.ts';
import type { Manifest } from '../../src/model/index.ts';
import { manifestSchema } from '../../src/model/manifest.ts';
import { compilePlan, type Range } from '../../src/plan/compile.ts';
import { warmSpec } from '../../src/warmup/container.ts';
import { cpuUsed } from '../../src/warmup/isa.ts';

const COMMAND = ['/app/app', '--urls', 'http://127.0.0.1:8080'];
const APP = { user: '4242:4242', env: {}, command: COMMAND } as unknown as Parameters<typeof warmSpec>[1];

function environment(): string {
  const { env } = warmSpec(
    'none',
    APP,
    {
      isa: 'native',
      env: {},
      hookSeconds: 60,
      readyPath: '/healthz',
      mayDiffer: [],
      timers: 'catch-up',
      places: { writable: [], mounts: [] },
      publish: { host: 0, container: 8080 },
    },
    {
      launcher: `${PREFIX}/bin/launcher`,
      companion: `${PREFIX}/companion/DotnetSnapshot.Companion.dll`,
      checkpoint: '',
    },
  );
  return Object.entries(env ?? {})
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('');
}

async function manifestOf(folder: string): Promise<Manifest> {
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');
  const [runtime, { canaries }, preparation, process] = text('control')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  if (preparation.error !== undefined) throw new Error(preparation.error);
  const files = await describeFiles(join(folder, 'checkpoint'));
  const host = {
    kernel: process.kernel,
    architecture: process.architecture,
    cpuFeatures: process.cpuFeatures.split(' ').filter(Boolean),
    monotonicSeconds: process.monotonicSeconds,
  };
  const sha256 = (value: string) => createHash('sha256').update(value).digest('hex');
  return manifestSchema.parse({
    schemaVersion: 1,
    id: sha256(JSON.stringify(files)).slice(0, 12),
    name: 'arm64',
    createdAt: new Date().toISOString(),
    app: { command: COMMAND, imageId: 'none', baseImage: 'none' },
    runtime,
    process,
    host,
    cpu: cpuUsed('native', {}, host, preparation.choosesAnew),
    criu: { version: text('criu').trim() },
    hookSeconds: preparation.hookSeconds,
    files,
    semaphores: [...text('files').matchAll(/^semaphore (\d+)$/gm)].map(([, fd]) => Number(fd)),
    appFiles: [...text('files').matchAll(/^file (\d+) (-?\d+) ([0-9a-f]{16}) (\/.*)$/gm)].map(
      ([, bytes, modified, xxh64, path]) => ({ path, bytes: Number(bytes), modified: Number(modified), xxh64 }),
    ),
    canaries: canaries.map(({ encoding, seed }: { encoding: string; seed: string }) => ({
      encoding,
      sha256: sha256(`dscanary{${seed.replaceAll('-', '')}}`),
    })),
  });
}

function hotOf(file: string | undefined): { read: Range[]; written: Range[]; files: Range[] } | 'to be recorded' {
  if (file === undefined) return 'to be recorded';
  const lines = [...readFileSync(file, 'utf8').matchAll(/^([rwf]) ([0-9a-f]+)-([0-9a-f]+)$/gm)];
  const ranges = (use: string) =>
    lines
      .filter(([, which]) => which === use)
      .map(([, , start, end]) => ({ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }));
  return { read: ranges('r'), written: ranges('w'), files: ranges('f') };
}

const [step, checkpoint, output, touched] = process.argv.slice(2);
if (step === 'environment') process.stdout.write(environment());
else if (step === 'compile') {
  const manifest = await manifestOf(checkpoint!);
  const images = join(checkpoint!, 'checkpoint');
  console.log(JSON.stringify(manifest.cpu), manifest.host.kernel);
  console.log(JSON.stringify(await compilePlan({ images, manifest, hot: hotOf(touched) }, output!)));
} else throw new Error('usage: plan.ts environment | plan.ts compile CHECKPOINT OUTPUT [TOUCHED]');
