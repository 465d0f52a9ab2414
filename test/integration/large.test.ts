import { rm } from 'node:fs/promises';
import { afterAll, afterEach, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

/*
 * A snapshot of more than 4 GiB. It takes four minutes, 30 GB of disk and 6 GB of memory, so it is left out unless asked for:
 *
 *     LARGE=1 vitest run --project containers test/integration/large.test.ts
 */
const project = 'test/integration/apps/large';
const image = 'dotnet-snapshot-test/large:restore-ready';
/** In MiB; more than what 32 bits can count. */
const live = 4300;
const clones = new Clones();
afterEach(() => clones.remove());
let output: string | undefined;
afterAll(async () => {
  await docker(['image', 'rm', '--force', image, 'dotnet-snapshot/large:app'], { mayFail: true });
  // Not left to the end of the process: it holds the whole snapshot.
  if (output !== undefined) await rm(output, { recursive: true, force: true });
});

test.runIf(process.env.LARGE === '1')('a clone has every byte of more than 4 GiB', { timeout: 1_800_000 }, async () => {
  output = newFolder();
  const { code, stderr } = await cli([
    'build',
    ...['--project', project, '--traffic', `${project}/traffic.yaml`, '--tag', image, '--name', 'large'],
    ...['--env', `LIVE_MB=${live}`, '--may-differ', 'LIVE_MB', '--ready-timeout', '300', '--warmup-timeout', '3'],
    ...['--output', output, '--pairs', '1', '--clones', '1'],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);

  // LIVE_MB is not set here: nothing but the snapshot can have the data.
  const clone = await clones.ready(await clones.start(image, { env: { DOTNET_SNAPSHOT: 'require' } }));
  const sum = await clone.get<{ bytes: number; atStart: string; now: string }>('/checksum');
  expect(sum.bytes).toBe(live * 2 ** 20);
  expect(sum.now).toBe(sum.atStart);
  expect((await clone.logs()).stderr).toMatch(/restored in \d+ ms/);
});
