import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { docker } from '../harness/cli.ts';

const runtime = join(import.meta.dirname, '../../runtime');
const image = 'dotnet-snapshot-test/arm64';

// The bundle's own compiler lines, run by a cross compiler; what they make runs in QEMU's user mode, which can restore nothing.
// test/arm64/run restores on a whole emulated machine.
let compile: string[];
beforeAll(async () => {
  await docker(['build', '--tag', image, join(import.meta.dirname, 'arm64')]);
  const dockerfile = (await readFile(join(runtime, 'Dockerfile'), 'utf8')).replaceAll('\\\n', ' ');
  compile = dockerfile.match(/\bgcc -[^&\n]+/g) ?? [];
});

/** Compiles the launcher and waits.so, then runs a script; resolves to its exit code and what it printed. */
async function run(script: string): Promise<{ code: number; output: string }> {
  const before = ['set -e', 'mkdir -p /opt/dotnet-snapshot/companion', 'sh /build/restorer/build.sh', ...compile];
  const { code, stdout, stderr } = await docker(
    [
      ...['run', '--rm', '--volume', `${runtime}/launcher:/build/launcher:ro`],
      ...['--volume', `${runtime}/restorer:/build/restorer:ro`],
      ...['--volume', `${runtime}/companion/native:/build/native:ro`],
      ...[image, 'sh', '-c', [...before, script].join('\n')],
    ],
    { mayFail: true },
  );
  return { code, output: stdout + stderr };
}

const launcher = 'qemu-aarch64 /opt/dotnet-snapshot/bin/launcher';

test('the launcher starts the app normally and says why, where it can’t be restored', async () => {
  const { code, output } = await run(`${launcher} run -- echo started`);
  expect(output).toMatch(/^started$/m);
  expect(output).toMatch(/^DS\d{4} .*; starting normally$/m);
  expect(code).toBe(0);
});

test('the launcher ends where a restore is required and not possible', async () => {
  const { code, output } = await run(`DOTNET_SNAPSHOT=require ${launcher} run -- echo started`);
  expect(output).toContain('DOTNET_SNAPSHOT=require forbids a normal start');
  expect(output).not.toContain('started');
  expect(code).toBe(1);
});

test('waits.so moves the deadline of a thread that waits', async () => {
  const { output } = await run(
    [
      'aarch64-linux-gnu-gcc -O2 -pthread -o /test/wait /test/wait.c /opt/dotnet-snapshot/companion/waits.so',
      'timeout 60 qemu-aarch64 -L /usr/aarch64-linux-gnu /test/wait',
    ].join('\n'),
  );
  expect(output).toContain('the wait has ended');
});
