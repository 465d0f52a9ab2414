import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manifestSchema } from '../../src/model/manifest.ts';
import { cli, docker } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';

const project = 'test/integration/apps/reach';
const name = 'reach-test';
const image = `dotnet-snapshot/${name}:app`;
const withTraffic = ['--traffic', `${project}/traffic.yaml`];
const hooks = ['--before-checkpoint-path', '/drain', '--after-restore-path', '/join'];
const short = ['--pairs', '1', '--clones', '1', '--warmup-timeout', '1'];

/** The app with these variables and flags. */
const run = (command: string, env: string[], ...flags: string[]) =>
  cli([command, '--image', image, '--name', name, ...env.flatMap((one) => ['--env', one]), ...flags]);

beforeAll(async () => {
  // Publishes the app once; its image then serves every test.
  const { code, stderr } = await cli(['check', '--project', project, '--name', name, ...withTraffic]);
  expect(stderr).toContain('5 answers: 5 x 200');
  expect(code).toBe(0);
});
afterAll(() => docker(['image', 'rm', '--force', image, `dotnet-snapshot/${name}:restore-ready`], { mayFail: true }));

/** Builds; resolves to what was said and to the manifest. */
async function build(env: string[], ...flags: string[]) {
  const output = newFolder();
  const { code, stderr } = await run('build', env, ...short, '--output', output, ...flags);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  const manifest = JSON.parse(await readFile(join(output, 'snapshot', 'manifest.json'), 'utf8'));
  return { stderr, ready: manifestSchema.parse(manifest).ready };
}

describe('an app is met as it wants to be, in each container of it', () => {
  test('by HTTP/2 in the clear, its hooks too', async () => {
    const { ready } = await build(['LISTEN=h2c'], ...withTraffic, ...hooks);
    expect(ready).toMatchObject({ protocol: 'h2c', host: 'localhost' });
  });

  test('by TLS and by a Host that it allows, its hooks too', async () => {
    const env = ['LISTEN=https', 'AllowedHosts=shop.example.com;other.example'];
    const { ready, stderr } = await build(env, ...withTraffic, ...hooks);
    expect(ready).toMatchObject({ protocol: 'https', host: 'shop.example.com' });
    expect(stderr).toContain('the app refuses the Host localhost (AllowedHosts)');
    // Production's filter may be another: the hook after the restore passes it.
    const given = ['LISTEN=https', 'AllowedHosts=elsewhere.example', 'DOTNET_SNAPSHOT=require'].flatMap((one) => [
      '--env',
      one,
    ]);
    const clone = (await docker(['run', '--detach', ...given, `dotnet-snapshot/${name}:restore-ready`])).stdout.trim();
    try {
      await expect.poll(async () => (await docker(['logs', clone])).stderr, { timeout: 20_000 }).toMatch(/restored in/);
    } finally {
      await docker(['rm', '--force', clone]);
    }
  });

  test('with an answer that never ends', async () => {
    expect((await run('check', [], ...withTraffic, '--ready-path', '/events')).code).toBe(0);
  });
});

describe('a worker, which nobody asks', () => {
  test('is ready by a line of its log, and warmed by time', async () => {
    const { ready, stderr } = await build(['LISTEN=nothing'], '--ready', 'log:ready for work', '--warmup-seconds', '1');
    expect(ready).toMatchObject({ by: 'log' });
    expect(stderr).toContain('the app works for 1 s');
    expect(stderr).not.toContain('ASP.NET Core host');
  });

  test('is ready by a file, and warmed by a command', async () => {
    const command = ['--warmup-command', 'test -e /tmp/alive'];
    const { ready, stderr } = await build(['LISTEN=nothing'], '--ready', 'file:/tmp/alive', ...command);
    expect(ready).toMatchObject({ by: 'file' });
    expect(stderr).toContain('round 3: ');
  });

  test.each(['command:test -e /tmp/alive', 'port'])('is ready by %s', async (ready) => {
    const listen = ready === 'port' ? 'http' : 'nothing';
    const { code } = await run('check', [`LISTEN=${listen}`], '--ready', ready, '--warmup-seconds', '0');
    expect(code).toBe(0);
  });
});

test.each<[string, string[], string[], number, RegExp, RegExp]>([
  ['another port', ['LISTEN_PORT=5000'], [], 3, /DS3001: The app listens on 5000 and not on 8080/, /Set --port 5000/],
  ['a Unix socket', ['LISTEN=unix'], [], 3, /DS3001: .*Unix socket \/tmp\/reach\.sock alone/, /too \(--env/],
  ['the loopback address', ['LISTEN=loopback'], [], 3, /DS3001: .*loopback address only/, /ASPNETCORE_URLS=/],
  [
    'a status',
    [],
    ['--ready-path', '/sick', '--ready-timeout', '2'],
    3,
    /DS3001: .* at \/sick, .* status 503: the database is asleep/,
    /--env, --network/,
  ],
  [
    'no port at all',
    ['LISTEN=nothing'],
    ['--ready-timeout', '4'],
    3,
    /DS3001: .*listens on no TCP port/,
    /--ready port, log:REGEX/,
  ],
  [
    'a Host that is not allowed',
    ['AllowedHosts=shop.example.com'],
    ['--host', 'other.example'],
    3,
    /DS3001: The app refuses requests to the Host other\.example: .*status 400/,
    /Set --host/,
  ],
])(
  'what keeps an app from being met is told at once, with the way out: %s',
  async (_, env, flags, exit, cause, fix) => {
    const { code, stderr } = await run('check', env, ...withTraffic, ...flags);
    expect(stderr).toMatch(cause);
    expect(stderr.split('  fix: ')[1]).toMatch(fix);
    expect(code).toBe(exit);
  },
);

test('traffic that only meets a redirection to HTTPS is warned of', async () => {
  const traffic = join(newFolder(), 'traffic.yaml');
  await writeFile(traffic, 'version: 1\nrequests:\n  - path: /\n    repeat: 40\n');
  const { code, stderr } = await run('check', ['REDIRECT=1'], '--traffic', traffic);
  expect(stderr).toContain('40 answers: 40 x 307');
  expect(stderr).toMatch(/warning: 40 of 40 answers seem not to come from the app’s own code.*redirect to HTTPS/);
  expect(code).toBe(0);
});

test('an error of the server that nobody expects ends the build', async () => {
  const traffic = join(newFolder(), 'traffic.yaml');
  await writeFile(traffic, 'version: 1\nrequests:\n  - path: /boom\n');
  const { code, stderr } = await run('check', [], '--traffic', traffic);
  expect(stderr).toMatch(/DS5001: [\s\S]*status is 500, expected one below 500/);
  expect(code).toBe(5);
});
