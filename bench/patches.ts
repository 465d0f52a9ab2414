/**
 * What each change to CRIU (runtime/criu/patches) gains: one restore-ready image of each sample, started with CRIU
 * without any of them, with the first, with the first two, and so on. From the container's StartedAt to the first 200.
 *
 *   node bench/patches.ts [ROUNDS] [--no-build] [--record] [--only SAMPLE,SAMPLE]
 *
 * Builds the samples' snapshots and each CRIU first (--no-build takes the images of the last run). Prints the table of
 * docs/performance.md (--record puts it there). Run it on an otherwise idle machine. Needs Node 24
 * (node_modules/.bin/node), Docker and the .NET SDK.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { summarize } from '../src/statistics.ts';
import { publishResult } from './lib/document.ts';
import { describeMachine, machine, ROOT, tools } from './lib/machine.ts';
import { start } from './lib/start.ts';
import { ms, table } from './lib/table.ts';
import { buildRestored, buildVariant, imageOf, JIT } from './lib/variants.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'no-build': { type: 'boolean' }, record: { type: 'boolean' }, only: { type: 'string' } },
});
const rounds = Number(positionals[0] ?? 20);
const samples = values.only?.split(',') ?? ['todo-api', 'mvc-shop', 'worker'];
const RUNTIME = join(ROOT, 'runtime');
const patches = (await readdir(join(RUNTIME, 'criu/patches'))).sort();
const TITLES = ['none', ...patches.map((name) => `and ${name.replace(/^\d+-|\.patch$/g, '').replaceAll('-', ' ')}`)];
const imageWith = (sample: string, count: number) => imageOf({ name: sample }, `patches-${count}`);

/** The runtime bundle's build stage with the first `count` patches. Returns its tag. */
async function buildCriu(count: number): Promise<string> {
  const tag = imageOf({ name: 'criu' }, `patches-${count}`);
  const context = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-bench-'));
  try {
    await cp(RUNTIME, context, { recursive: true });
    for (const name of patches.slice(count)) await rm(join(context, 'criu/patches', name));
    if (count === 0) await writeFile(join(context, 'criu/build.sh'), await withoutPatches());
    // Not part of what is measured: the snapshot holds the companion that it was made with.
    await writeFile(join(context, 'companion.dll'), '');
    await build(context, tag, ['--target', 'build']);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return tag;
}

/** A glob that matches nothing is taken literally. */
async function withoutPatches(): Promise<string> {
  const script = await readFile(join(RUNTIME, 'criu/build.sh'), 'utf8');
  return script
    .split('\n')
    .filter((line) => !line.startsWith('for patch in'))
    .join('\n')
    .replace(' "$here"/patches/*.patch', '');
}

async function build(context: string, tag: string, flags: string[] = []): Promise<void> {
  const argv = ['docker', 'build', '--quiet', ...flags, '--tag', tag, context];
  const buildKit = (await tools.run(['docker', 'buildx', 'version'])).code === 0;
  const result = await tools.run(argv, { env: { DOCKER_BUILDKIT: buildKit ? '1' : '0' } });
  if (result.code !== 0) throw new Error(`${tag} can't be built\n${result.stderr}`);
}

async function buildAll(): Promise<void> {
  for (const name of samples)
    await tools.log.group(`building ${name}`, async () => {
      const app = { name, project: `samples/${name}` };
      await buildVariant(app, JIT);
      const traffic = `samples/${name}/traffic.yaml`;
      await buildRestored(name, imageOf(app, JIT.name), imageOf(app, 'restored'), traffic, ['--pairs', '1']);
    });
  for (let count = 0; count <= patches.length; count++)
    await tools.log.group(`building CRIU with ${count} changes`, async () => {
      const criu = await buildCriu(count);
      for (const sample of samples) {
        const context = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-bench-'));
        const folder = '/opt/dotnet-snapshot/bin';
        const from = imageOf({ name: sample }, 'restored');
        // The whole folder: a single file would lose its file capabilities.
        const lines = [`FROM ${from}`, 'USER 0', `COPY --from=${criu} ${folder} ${folder}`, 'USER 1654', ''];
        await writeFile(join(context, 'Dockerfile'), lines.join('\n'));
        await build(context, imageWith(sample, count));
        await rm(context, { recursive: true });
      }
    });
}

try {
  if (!values['no-build']) await buildAll();
  const all = samples.flatMap((sample) => TITLES.map((_, count) => imageWith(sample, count)));
  const seen = new Map(all.map((image) => [image, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const image of all) {
      const millis = await start({ image, env: { DOTNET_SNAPSHOT: 'require' } });
      // The first of each fills the page cache.
      if (round > 0) seen.get(image)!.push(millis);
    }
    tools.log.info(`round ${round} of ${rounds}`);
  }
  const rows = TITLES.map((title, count) => [
    title,
    ...samples.map((sample) => {
      const { median, q1, q3 } = summarize(seen.get(imageWith(sample, count))!);
      return `${ms(median)} ms (${ms(q1)}–${ms(q3)})`;
    }),
  ]);
  const text = `${describeMachine(await machine())}; ${rounds} rounds.\n\n${table([['Changes to CRIU', ...samples], ...rows])}`;
  await publishResult('patches', text, values.record);
} finally {
  await tools.docker.removeAll();
  await tools.cleanup.run();
}
