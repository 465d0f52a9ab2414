/**
 * Whether builds fail by chance: builds samples again and again, with the default settings of warmup and scan, while every
 * CPU is busy with something else.
 *
 *   node bench/gate.ts [BUILDS] [--samples NAME,NAME] [--idle]
 *
 * 30 builds of each sample where nothing else is said. --idle leaves the CPUs alone. One line a build: how it ended, the
 * checkpoints that were taken, and what was found and worth nothing. Exit code 1 where a build failed. Needs `npm run build`,
 * Node 24 (node_modules/.bin/node), Docker and the .NET SDK.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { samples: { type: 'string' }, idle: { type: 'boolean' } },
});
const builds = Number(positionals[0] ?? 30);
const samples = values.samples?.split(',') ?? (await readdir('samples'));

interface Build {
  code: number | null;
  /** Of the failure; empty where there was none. */
  error: string;
  checkpoints: number;
  worthless: number;
  seconds: number;
}

async function build(sample: string, output: string): Promise<Build> {
  const start = performance.now();
  const words = [
    '--project',
    `samples/${sample}`,
    '--traffic',
    `samples/${sample}/traffic.yaml`,
    '--ready-path',
    '/healthz',
  ];
  const quick = ['--pairs', '1', '--clones', '1', '--output', output, '--name', `gate-${sample}`];
  const cli = spawn(process.execPath, ['dist/cli.cjs', 'build', ...words, ...quick], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  cli.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const code = await new Promise<number | null>((resolve) => cli.once('close', resolve));
  const again = [...log.matchAll(/checkpoint (\d+) of at most/g)].length;
  return {
    code,
    error: /^DS\d{4}: .*$/m.exec(log)?.[0] ?? '',
    checkpoints: 1 + again,
    worthless: [...log.matchAll(/worth nothing: /g)].length,
    seconds: Math.round((performance.now() - start) / 1000),
  };
}

const busy = values.idle
  ? []
  : Array.from({ length: availableParallelism() }, () =>
      spawn(process.execPath, ['-e', 'for (;;) Math.random()'], { stdio: 'ignore' }),
    );
const folder = await mkdtemp(join(tmpdir(), 'gate-'));
let failed = 0;
try {
  for (const sample of samples) {
    const done: Build[] = [];
    for (let number = 1; number <= builds; number++) {
      const one = await build(sample, join(folder, sample));
      done.push(one);
      const { code, error, checkpoints, worthless, seconds } = one;
      console.log(
        `${sample} ${number}: exit code ${code}, ${checkpoints} checkpoint(s), ${worthless} worthless, ${seconds} s ${error}`,
      );
    }
    const bad = done.filter(({ code }) => code !== 0).length;
    const again = done.filter(({ checkpoints }) => checkpoints > 1).length;
    console.log(`${sample}: ${bad} of ${builds} builds failed; ${again} took more than one checkpoint`);
    failed += bad;
  }
} finally {
  for (const one of busy) one.kill();
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
