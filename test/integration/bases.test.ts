import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { type Clone, Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

// The bundle brings its own loader and libraries, so of the base it needs nothing. docs/bases.md lists what is tested here.
const bases = join(import.meta.dirname, 'bases');
const apps = 'test/integration/apps';
const clones = new Clones();
const images: string[] = [];
afterEach(() => clones.remove());
afterAll(async () => {
  await docker(['image', 'rm', '--force', ...images], { mayFail: true });
});

/** Makes sure of a distribution's image; false where neither a registry nor its mirror answers. */
async function ensureDistribution(image: string): Promise<boolean> {
  const script = join(import.meta.dirname, '../../scripts/base-image');
  return promisify(execFile)(script, [image]).then(
    () => true,
    (error) => {
      if (error.code === 3) return false;
      throw error;
    },
  );
}

/** Builds an image of a base that a row needs; it stays in Docker's cache for the next run. */
async function base(name: string, dockerfile: string, flags: string[] = []): Promise<string> {
  const tag = `dotnet-snapshot-test/base-${name}`;
  await docker(['build', '--tag', tag, '--file', join(bases, dockerfile), ...flags, bases]);
  return tag;
}

/** The pipeline from source to a verified restore-ready image, without traffic before the checkpoint. */
async function build(name: string, source: string[]): Promise<string> {
  const tag = `dotnet-snapshot-test/on-${name}:restore-ready`;
  images.push(tag, `dotnet-snapshot/on-${name}:app`);
  const { code, stderr } = await cli([
    ...['build', ...source, '--name', `on-${name}`, '--tag', tag, '--output', newFolder()],
    ...['--checkpoint-at', 'ready', '--pairs', '1', '--clones', '2'],
  ]);
  expect(stderr).not.toContain('DS');
  expect(code).toBe(0);
  return tag;
}

/** A clone that answers where production requires it to be restored. */
async function restored(image: string): Promise<Clone> {
  const clone = await clones.ready(await clones.start(image, { env: { DOTNET_SNAPSHOT: 'require' } }));
  expect((await clone.logs()).stderr).toMatch(/restored in \d+ ms/);
  return clone;
}

async function textOf(clone: Clone, path: string): Promise<string> {
  return (await fetch(`${clone.origin}${path}`)).text();
}

const selfContained = ['--publish-args=--self-contained'];

describe('an app is built, verified and restored', () => {
  test.for([
    ['debian:bookworm-slim', 'net10.0', []],
    ['debian:bookworm-slim', 'net8.0', selfContained],
    ['ubuntu:24.04', 'net10.0', []],
  ] as const)('on %s, as %s %s', async ([distribution, framework, flags], { skip }) => {
    if (!(await ensureDistribution(distribution))) skip(`${distribution}: neither a registry nor its mirror answers`);
    const name = distribution.replace(/\W+/g, '-');
    const image = await base(name, 'system.Dockerfile', ['--build-arg', `BASE=${distribution}`]);
    const ready = await build(`${name}-${framework.replace('.', '-')}`, [
      ...['--project', `${apps}/bases`, '--framework', framework, '--traffic', `${apps}/bases/traffic.yaml`],
      ...['--base-image', image, ...flags],
    ]);
    expect(`net${await textOf(await restored(ready), '/')}`).toContain(framework);
  });

  test.for([
    ['chiseled', 'net9.0'],
    ['bare', 'net10.0'],
  ] as const)('on a %s base without a shell, self-contained as %s', async ([name, framework]) => {
    const image = await base(name, 'files.Dockerfile', ['--target', name]);
    const ready = await build(name, [
      ...['--project', `${apps}/bases`, '--framework', framework, '--traffic', `${apps}/bases/traffic.yaml`],
      ...['--base-image', image, ...selfContained],
    ]);
    expect(`net${await textOf(await restored(ready), '/')}`).toContain(framework);
    const shell = await docker(['run', '--rm', '--entrypoint', '/bin/sh', ready, '-c', 'true'], { mayFail: true });
    expect(shell.code).toBe(127);
  });

  test('on musl: threads, thread-local variables and the clock of an app come back', async () => {
    const image = 'dotnet-snapshot-test/musl:app';
    await docker(['build', '--tag', image, `${apps}/musl`]);
    const ready = await build('musl', ['--image', image, '--traffic', `${apps}/musl/traffic.yaml`, '--scan', 'off']);
    const clone = await restored(ready);
    const ticks = Number(await textOf(clone, '/ticks'));
    expect(ticks).toBeGreaterThan(0);
    await expect.poll(async () => Number(await textOf(clone, '/ticks')), { timeout: 10_000 }).toBeGreaterThan(ticks);
  });
});
