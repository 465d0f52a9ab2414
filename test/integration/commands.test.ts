import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestSchema } from '../../src/model/manifest.ts';
import { addressOf, cli, docker, startCli, statusOf } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';

// One build of the probe serves every test: its output folder, its image, and a container that `run` starts.
const app = 'test/integration/apps/probe';
const traffic = ['--traffic', `${app}/traffic.yaml`];
const appImage = 'dotnet-snapshot/command-test:app';
const image = 'dotnet-snapshot-test/command-test:restore-ready';
const container = `dotnet-snapshot-command-test-${process.pid}`;
// Words, so that no rule but the literal search can find it; under a name that the gate does not take for a secret's.
const planted = ['violet', 'harbour', 'lantern', 'orchard', 'pebble']
  .map((word) => `${word}${randomInt(1000)}`)
  .join(' ');
const withSecret = { PLANTED_PASSWORD: planted };
let output: string;

beforeAll(async () => {
  output = newFolder();
  const { code, stderr } = await cli([
    'build',
    ...['--project', app, ...traffic, '--ready-path', '/healthz', '--name', 'command-test', '--tag', image],
    ...['--env', `GREETING=${planted}`, '--output', output, '--pairs', '1', '--warmup-timeout', '1'],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
});
afterAll(async () => {
  await docker(['rm', '--force', container], { mayFail: true });
  await docker(['image', 'rm', '--force', image, appImage], { mayFail: true });
});

test.each(['build', 'check', 'warm', 'checkpoint', 'scan', 'inspect', 'replay', 'run', 'deploy'])(
  '%s --help shows how it is used and runs nothing',
  async (command) => {
    const { code, stdout, stderr } = await cli([command, '--help']);
    expect(stdout).toMatch(new RegExp(`^usage: dotnet-snapshot ${command} `));
    expect(stderr).toBe('');
    expect(code).toBe(0);
  },
);

test.each<[string, string[], RegExp]>([
  ['no command', [], /^$/],
  ['an unknown command', ['bake'], /DS1001: There is no command "bake"/],
  ['no source', ['build', ...traffic], /DS1001: .*not said what to build/],
  ['two sources', ['check', '--project', app, '--image', 'x', ...traffic], /DS1001: .*exclude each other/],
  ['no traffic', ['build', '--project', app], /DS1001: .*traffic is missing/],
  ['a bad number', ['build', '--project', app, ...traffic, '--pairs', 'many'], /DS1001: .*pairs is "many"/],
  ['no folder to scan', ['scan'], /DS1001: .*is missing/],
  ['an unknown format', ['scan', '.', '--format', 'xml'], /DS1001: .*"xml"/],
  ['a word too many', ['inspect', 'a', 'b'], /DS1001: "b" is one word too many/],
  ['a name that no cluster takes', ['deploy', image, '--name', 'My Shop'], /DS1001: --name is "My Shop"/],
  ['a bad port', ['deploy', image, '--port', '99999'], /DS1001: --port is "99999"/],
  ['a bad URL', ['replay', ...traffic, '--url', 'nonsense'], /DS1001: --url/],
])('%s is a usage error', async (_what, words, message) => {
  const { code, stderr } = await cli(words);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

test('scan finds nothing in a clean snapshot', async () => {
  const { code, stdout } = await cli(['scan', join(output, 'snapshot')]);
  expect(stdout).not.toBe('');
  expect(code).toBe(0);
});

test.each(['text', 'json', 'sarif'])('scan as %s names a planted secret and never shows it', async (format) => {
  const { code, stdout, stderr } = await cli(['scan', join(output, 'snapshot'), '--format', format], withSecret);
  expect(stdout).toContain('PLANTED_PASSWORD');
  expect(stdout + stderr).not.toContain(planted);
  if (format === 'json') expect(JSON.parse(stdout).findings.length).toBeGreaterThan(0);
  if (format === 'sarif') expect(JSON.parse(stdout).runs[0].results.length).toBeGreaterThan(0);
  expect(code).toBe(4);
});

test('inspect shows the same manifest of the folder and of the image', async () => {
  const folder = await cli(['inspect', join(output, 'snapshot')]);
  const inImage = await cli(['inspect', image]);
  expect(folder.code).toBe(0);
  expect(inImage.code).toBe(0);
  expect(manifestSchema.parse(JSON.parse(folder.stdout)).id).toBe(manifestSchema.parse(JSON.parse(inImage.stdout)).id);
});

test('inspect says what it needs where there is no snapshot', async () => {
  const folder = await cli(['inspect', output]);
  expect(folder.stderr).toMatch(/DS6002: There is no manifest/);
  expect(folder.code).toBe(1);
  const plain = await cli(['inspect', appImage]);
  expect(plain.stderr).toMatch(/DS6002: .*holds no snapshot/);
  expect(plain.code).toBe(1);
});

test('run --print shows the whole command and starts nothing', async () => {
  const { code, stdout } = await cli(['run', image, '--print', '--', '--publish', '8080:8080']);
  expect(stdout).toBe(
    `docker run --rm --publish 8080:8080 --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp ${image}\n`,
  );
  expect(code).toBe(0);
});

test('run restores the app, replay tells right answers from wrong ones, and a stop ends it with 0', async () => {
  const wrong = join(newFolder(), 'wrong.yaml');
  await writeFile(
    wrong,
    'version: 1\nrequests:\n  - name: hello\n    path: /\n    expect: { bodyContains: goodbye }\n',
  );
  const { finished } = startCli(['run', image, '--', '--name', container]);
  let address = '';
  for (let tries = 0; tries < 600 && address === ''; tries++) {
    address = await addressOf(container).catch(() => '');
    if (address === '') await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const origin = `http://${address}:8080`;
  expect(await statusOf(`${origin}/healthz`)).toBe(200);

  const right = await cli(['replay', ...traffic, '--url', origin]);
  expect(right.stdout).toMatch(/32 requests, 0 not as expected, p50 .+, p99 /);
  expect(right.code).toBe(0);
  const other = await cli(['replay', '--traffic', wrong, '--url', origin]);
  expect(other.stderr).toMatch(/DS5001: [\s\S]*hello \(GET \/\)/);
  expect(other.code).toBe(5);

  await docker(['stop', '--time', '10', container]);
  const { code, stdout, stderr } = await finished;
  expect(stderr).toMatch(/restored in \d+ ms/);
  expect(stdout).toContain('Application is shutting down');
  expect(code).toBe(0);
});

test('the files of build and of deploy are the same, and Compose restores the app by them', async () => {
  const folder = newFolder();
  const { code, stdout } = await cli(['deploy', image, '--output', folder]);
  expect(code).toBe(0);
  for (const file of stdout.trim().split('\n'))
    expect(await readFile(file, 'utf8')).toBe(await readFile(join(output, 'deploy', basename(file)), 'utf8'));
  expect(await readFile(join(folder, 'kubernetes.yaml'), 'utf8')).toContain('path: /healthz');

  // Any free port of this machine, in place of the one that the file names.
  const override = join(folder, 'override.yml');
  await writeFile(override, 'services: { command-test: { ports: !override ["127.0.0.1::8080"] } }\n');
  const project = ['compose', '--project-name', container, '--file', join(folder, 'docker-compose.yml')];
  const compose = (...words: string[]) => docker([...project, '--file', override, ...words]);
  try {
    await compose('up', '--detach');
    const address = (await compose('port', 'command-test', '8080')).stdout.trim();
    expect(await statusOf(`http://${address}/healthz`)).toBe(200);
    expect((await compose('logs', 'command-test')).stdout).toMatch(/restored in \d+ ms/);
  } finally {
    await compose('down', '--timeout', '10');
  }
});

test('check passes an app that can be checkpointed, and keeps nothing of it', async () => {
  const { code, stdout } = await cli(['check', '--image', appImage, ...traffic, '--name', 'command-check']);
  expect(stdout).toContain('command-check can be checkpointed: ');
  expect(code).toBe(0);
  expect((await docker(['images', '--quiet', 'dotnet-snapshot/command-check'])).stdout).toBe('');
});

test.each([
  ['INOTIFY', /DS3003: .*inotify[\s\S]*fix: .*FileSystemWatcher/],
  [
    'UNIX_SOCKET',
    /DS3008: .*another process runs beside it: dotnet[\s\S]*fix: Don’t start these before the checkpoint/,
  ],
])('check refuses an app with %s, with the hint for it', async (mode, message) => {
  const { code, stderr } = await cli([
    'check',
    ...['--image', appImage, ...traffic, '--name', 'command-check', '--env', `${mode}=1`],
  ]);
  expect(stderr).toMatch(message);
  expect(code).toBe(3);
});
