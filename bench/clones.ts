/**
 * What it costs to make a restored clone safe: the part of each restored start that the companion and the app's hooks
 * take, by the launcher's own clock, beside the whole restore.
 *
 *   node bench/clones.ts [ROUNDS]
 *
 * Builds the three samples, then starts their images in turn, so that what the machine does meanwhile hits all alike.
 * Run it on an otherwise idle machine. Needs Node 24 (node_modules/.bin/node) and Docker.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerArguments, productionSpec } from '../src/engine/container.ts';
import { summarize } from '../src/statistics.ts';

const root = join(import.meta.dirname, '..');
const samples = ['todo-api', 'mvc-shop', 'worker'];
const rounds = Number(process.argv[2] ?? 20);
const docker = (...words: string[]) =>
  execFileSync('docker', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const imageOf = (sample: string) => `dotnet-snapshot-bench/${sample}:restore-ready`;

for (const sample of samples) {
  const project = `samples/${sample}`;
  const flags = [
    '--project',
    project,
    '--traffic',
    `${project}/traffic.yaml`,
    '--ready-path',
    '/healthz',
    '--pairs',
    '1',
  ];
  const output = ['--output', join(root, 'out', 'bench', sample)];
  execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), 'build', ...flags, ...output, '--tag', imageOf(sample)], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Starts a clone once; resolves to what its launcher says, in milliseconds. */
async function start(image: string): Promise<{ restored: number; inApp: number }> {
  // A variable that differs, as it always does in production: the configuration then changes, and its listeners are told.
  const spec = { ...productionSpec(image), env: { DOTNET_SNAPSHOT: 'require', Bench__Round: '1' } };
  const container = docker('run', '--detach', ...containerArguments(spec)).trim();
  try {
    for (let tries = 0; tries < 200; tries++) {
      await sleep(50);
      // The launcher writes to standard error, which `docker logs` passes on as its own.
      const log = execFileSync('sh', ['-c', 'docker logs "$0" 2>&1', container], { encoding: 'utf8' });
      const [, restored, inApp] = /restored in (\d+) ms \(snapshot \w+\), ([\d.]+) ms of it in the app/.exec(log) ?? [];
      if (inApp !== undefined) return { restored: Number(restored), inApp: Number(inApp) };
    }
    throw new Error(`${image} was not restored`);
  } finally {
    docker('rm', '--force', container);
  }
}

const seen = new Map(samples.map((sample) => [sample, { restored: [] as number[], inApp: [] as number[] }]));
for (let round = 0; round < rounds; round++)
  for (const sample of samples) {
    const { restored, inApp } = await start(imageOf(sample));
    seen.get(sample)!.restored.push(restored);
    seen.get(sample)!.inApp.push(inApp);
  }

console.log('| Sample | Restored, ms | of it in the app, ms |\n| --- | --- | --- |');
for (const [sample, { restored, inApp }] of seen) {
  const cell = (values: number[]) => {
    const { median, q1, q3, min, max } = summarize(values);
    return `${median.toFixed(1)} (quartiles ${q1.toFixed(1)} to ${q3.toFixed(1)}, range ${min.toFixed(1)} to ${max.toFixed(1)})`;
  };
  console.log(`| ${sample} | ${cell(restored)} | ${cell(inApp)} |`);
}
docker('image', 'rm', '--force', ...samples.map(imageOf));
