import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestSchema } from '../../src/model/manifest.ts';
import { addressOf, cli, docker, leftovers, statusOf } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';

// One app that `warm` starts serves every test. What it is told while it runs tells its snapshots apart.
const name = 'on-demand-test';
const images = ['first', 'second'].map((tag) => `dotnet-snapshot-test/${name}:${tag}`) as [string, string];
const clones = ['first', 'second'].map((tag) => `dotnet-snapshot-${name}-${tag}-${process.pid}`) as [string, string];
let before: string[];
let container = '';
let url: string;
let earlier: string;

beforeAll(async () => {
  before = await leftovers();
  const { code, stdout, stderr } = await cli([
    'warm',
    ...['--project', 'samples/todo-api', '--ready-path', '/healthz', '--name', name],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  [, container = '', url = ''] = /^container (\S+)\nurl {7}(\S+)\n$/.exec(stdout) ?? [];
});
afterAll(async () => {
  await docker(['rm', '--force', ...clones, ...(container ? [container] : [])], { mayFail: true });
  const warm = (await docker(['images', '--format', '{{.Repository}}:{{.Tag}}', `dotnet-snapshot/${name}`])).stdout;
  await docker(['image', 'rm', '--force', ...images, ...warm.split('\n').filter(Boolean)], { mayFail: true });
});

/** Adds a todo; resolves to its path. */
async function add(title: string): Promise<string> {
  const response = await fetch(`${url}/todos`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title }),
    signal: AbortSignal.timeout(10_000),
  });
  expect(response.status).toBe(201);
  return new URL(response.headers.get('location')!, url).pathname;
}

/** Restores a clone in production's container; resolves to where it answers. */
async function restore(image: string, clone: string): Promise<string> {
  const { code } = await cli([
    ...['run', image, '--'],
    ...['--detach', '--name', clone, '--env', 'DOTNET_SNAPSHOT=require'],
  ]);
  expect(code).toBe(0);
  const origin = `http://${await addressOf(clone)}:8080`;
  expect(await statusOf(`${origin}/healthz`)).toBe(200);
  return origin;
}

async function manifestIn(output: string) {
  return manifestSchema.parse(JSON.parse(await readFile(join(output, 'snapshot', 'manifest.json'), 'utf8')));
}

test('warm leaves the app running when it ends, and nothing else', async () => {
  expect(container).toMatch(new RegExp(`^dotnet-snapshot-${name}-`));
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await statusOf(`${url}/healthz`)).toBe(200);
  // The images that a warm container and its checkpoint are made from stay with it.
  const itsOwn = new RegExp(`^image dotnet-snapshot/${name}:(warm|app)-`);
  const left = (await leftovers(before)).filter((item) => !itsOwn.test(item));
  expect(left).toEqual([]);
});

test('a checkpoint with --keep holds the app as it is, and the app goes on', async () => {
  earlier = await add('before the first checkpoint');
  const output = newFolder();
  const { code, stdout, stderr } = await cli([
    ...['checkpoint', container, '--keep', '--tag', images[0], '--output', output],
    ...['--secrets', 'NEVER_THERE=violet harbour lantern orchard'],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  expect(stdout).toContain(`image     ${images[0]}\n`);
  const manifest = await manifestIn(output);
  expect(manifest).toMatchObject({ name, scan: { verdict: 'clean' } });
  expect(manifest.traffic).toBeUndefined();
  expect(JSON.parse(await readFile(join(output, 'scan.sarif'), 'utf8')).version).toBe('2.1.0');

  expect(await statusOf(url + earlier)).toBe(200);
  const origin = await restore(images[0], clones[0]);
  expect(await statusOf(origin + earlier)).toBe(200);
});

test('a container of another kind can’t be checkpointed, nor one that is not there', async () => {
  const foreign = await cli(['checkpoint', clones[0]]);
  expect(foreign.stderr).toMatch(/DS1007: .*was not started by/);
  expect(foreign.code).toBe(2);
  const missing = await cli(['checkpoint', `${container}-never`]);
  expect(missing.stderr).toMatch(/DS1007: There is no container/);
  expect(missing.code).toBe(2);
});

test('a checkpoint without --keep holds what came since, and ends the app', async () => {
  const later = await add('before the second');
  const output = newFolder();
  const { code, stderr } = await cli(['checkpoint', container, '--tag', images[1], '--output', output]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  expect(await manifestIn(output)).toMatchObject({ name, scan: { verdict: 'clean' } });
  expect(await leftovers(before)).toEqual([]);
  expect((await docker(['inspect', container], { mayFail: true })).code).not.toBe(0);

  const origin = await restore(images[1], clones[1]);
  expect(await statusOf(origin + earlier)).toBe(200);
  expect(await statusOf(origin + later)).toBe(200);
  // The first clone is of an earlier moment.
  expect(await statusOf(`http://${await addressOf(clones[0])}:8080${later}`)).toBe(404);
});
