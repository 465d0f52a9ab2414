import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { type Clone, type CloneOptions, Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

const project = 'test/integration/apps/kinds';
const image = 'dotnet-snapshot-test/kinds:restore-ready';
const clones = new Clones();

/** By name of a kind of thing, true or what is wrong with it. */
type Found = Record<string, true | string>;

beforeAll(async () => {
  const { code, stderr } = await cli([
    'build',
    ...['--project', project, '--traffic', `${project}/traffic.yaml`, '--tag', image, '--name', 'kinds'],
    ...['--output', newFolder(), '--pairs', '1', '--clones', '2', '--warmup-timeout', '3'],
    ...['--before-checkpoint-path', '/before-checkpoint', '--after-restore-path', '/after-restore'],
    ...['--hook-timeout', '60', '--base-image', 'mcr.microsoft.com/dotnet/aspnet:10.0'],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
});
afterEach(() => clones.remove());
afterAll(() => docker(['image', 'rm', '--force', image, 'dotnet-snapshot/kinds:app'], { mayFail: true }));

/** Starts a clone that must be restored, or with `off` one that must not. */
async function start(options: CloneOptions = {}, mode = 'require'): Promise<Clone> {
  return clones.ready(await clones.start(image, { ...options, env: { DOTNET_SNAPSHOT: mode } }));
}

function wrong(found: Found): Found {
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== true));
}

test('an app that is started normally has every kind of thing', async () => {
  const found = await (await start({}, 'off')).get<Found>('/check');
  expect(wrong(found)).toEqual({});
  expect(Object.keys(found).length).toBeGreaterThan(100);
});

test.each([
  ['as the user of the build', {}],
  ['as a user without name', { spec: { user: '4242:4242' } }],
  ['as OpenShift runs it, in the group root', { spec: { user: '1000650000:0' } }],
])('every kind of thing that an app had works in a clone, %s', async (_, options) => {
  const clone = await start(options);
  const before = await clone.get<Found>('/before-checkpoint');
  expect(wrong(before)).toEqual({});
  expect(wrong(await clone.get<Found>('/after-restore'))).toEqual({});
  const found = await clone.get<Found>('/check');
  expect(wrong(found)).toEqual({});
  expect(Object.keys(found)).toEqual(Object.keys(before));
  // What was put back by the first check.
  expect(wrong(await clone.get<Found>('/check'))).toEqual({});

  await fetch(`${clone.origin}/say`);
  const { stdout, stderr } = await clone.logs();
  expect(stdout).toContain('this is stdout\n');
  expect(stderr).toContain('this is stderr\n');
  expect(stderr).toMatch(/restored in \d+ ms/);
  expect((await clone.end('TERM')).code).toBe(0);
});
