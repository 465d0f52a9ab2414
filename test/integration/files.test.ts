import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { type Clone, type CloneOptions, Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

// Files that an app made, changed or opened at its start, in clones: one app has all kinds at once.
const image = 'dotnet-snapshot-test/files:restore-ready';
const project = 'test/integration/apps/files';
const clones = new Clones();
const volumes: string[] = [];

const build = (...flags: string[]) =>
  cli([
    ...['build', '--project', project, '--traffic', `${project}/traffic.yaml`, '--name', 'files', '--tag', image],
    ...['--output', newFolder(), '--clones', '2', '--pairs', '1', '--warmup-timeout', '2', ...flags],
  ]);

let output = '';
beforeAll(async () => {
  const { code, stderr, stdout } = await build('--writable', '/data');
  output = `${stdout}${stderr}`;
  if (code !== 0) throw new Error(output);
}, 180_000);
afterEach(async () => {
  await clones.remove();
  if (volumes.length > 0) await docker(['volume', 'rm', ...volumes.splice(0)]);
});
afterAll(() => docker(['image', 'rm', '--force', 'dotnet-snapshot/files:app'], { mayFail: true }));

const start = async (options: CloneOptions): Promise<Clone> => clones.ready(await clones.start(image, options));

/** What the app answers when it has used all of its files. */
const USED = {
  ...{ open: 1, scratch: 1, closed: 1, mapped: 4711, deleted: true, settings: true },
  ...{ migrated: '1', page: 'cached', scratchFile: 'made at the start', socket: true },
};

/** A volume in which `script` was run as root. */
async function volumeWith(script: string): Promise<string> {
  const name = `dotnet-snapshot-test-files-${volumes.length}`;
  volumes.push(name);
  const run = ['run', '--rm', '--volume', `${name}:/data`, '--user', '0', '--entrypoint', 'sh', image, '-c'];
  await docker([...run, `chmod 777 /data; ${script}`]);
  return name;
}

test('the build names what the app made, and what of it is open', () => {
  expect(output).toMatch(/the app made \d+ files of .*\/data\/open.db \([^)]*, open\).*\/data\/migrated \(1 B\)/);
});

test('a clone goes on with every file: logs, databases, mapped, deleted and closed ones', async () => {
  const clone = await start({ spec: { writable: ['/data'] }, env: { DOTNET_SNAPSHOT: 'require' } });
  expect(await clone.get('/use')).toEqual(USED);
  const logs = await clone.get<Record<string, string>>('/log');
  for (const text of Object.values(logs)) expect(text).toMatch(/^(.*started)\n(.*used\n)+$/);
});

test('any other user can use them', async () => {
  const clone = await start({ spec: { writable: ['/data'] }, flags: ['--user', '4321:0'] });
  expect(await clone.get('/use')).toEqual(USED);
  expect((await clone.logs()).stderr).toContain('restored in');
});

describe('a volume of production', () => {
  test('that has the log already: the app writes at its end, and the volume loses nothing', async () => {
    const volume = await volumeWith('seq 5000 > /data/app.log; chmod 666 /data/app.log');
    const clone = await start({ flags: ['--volume', `${volume}:/data`] });
    expect(await clone.get('/use')).toEqual(USED);
    const { app } = await clone.get<{ app: string }>('/log');
    expect(app.split('\n').slice(4999)).toEqual(['5000', 'used', '']);
    await clones.remove();
  });

  test('that has a database of its own: a normal start, and the database is untouched', async () => {
    const volume = await volumeWith('echo production > /data/closed.db; chmod 666 /data/closed.db');
    const clone = await clones.start(image, { flags: ['--volume', `${volume}:/data`] });
    await docker(['wait', clone.container]);
    expect((await clone.logs()).stderr).toContain('DS5008 /data/closed.db is there already');
    const { stdout } = await docker([
      'run',
      '--rm',
      '--volume',
      `${volume}:/data`,
      '--entrypoint',
      'sh',
      image,
      '-c',
      'cat /data/closed.db; ls /data',
    ]);
    expect(stdout.split('\n')[0]).toBe('production');
    await clones.remove();
  });
});

test('a restore that is given up leaves none of the build’s files to the normal start', async () => {
  const clone = await start({ spec: { writable: ['/data'] }, env: { DOTNET_gcServer: '1' } });
  const { app } = await clone.get<{ app: string }>('/log');
  expect((await clone.logs()).stderr).toContain('starting normally');
  expect(app).toBe('started\n');
});

test('without the place, the reason names the file and the flag', async () => {
  const clone = await clones.start(image);
  await docker(['wait', clone.container]);
  expect((await clone.logs()).stderr).toMatch(/DS5009 the app's file \/data\/\S+ can't be made: .*--tmpfs \/data/);
});

test('an app that writes into its own folder fails while it is warmed, by name', async () => {
  const started = performance.now();
  const { code, stderr } = await build('--writable', '/data', '--env', 'OWN_FOLDER=/app');
  expect(code).toBe(3);
  expect(stderr).toContain('DS3002');
  expect(stderr).toContain('It could not write to /app/written-at-start, which is read-only, as in production.');
  expect(performance.now() - started).toBeLessThan(45_000);
});
