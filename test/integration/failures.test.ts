import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { dump, preflight } from '../../src/checkpoint/checkpoint.ts';
import { Control } from '../../src/checkpoint/control.ts';
import { Docker } from '../../src/engine/docker.ts';
import { createRun } from '../../src/exec.ts';
import { PROGRAMS } from '../../src/image/runtime.ts';
import { cli, docker, leftovers, startCli } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';

const app = 'test/integration/apps/modes';
const good = ['--project', app, '--traffic', `${app}/traffic.yaml`];
const image = 'dotnet-snapshot/modes:app';
const fromImage = ['--image', image, '--traffic', `${app}/traffic.yaml`];
let folder: string;
let before: string[];

async function file(path: string, text: string): Promise<string> {
  const full = join(folder, path);
  await mkdir(join(full, '..'), { recursive: true });
  await writeFile(full, text);
  return full;
}

beforeAll(async () => {
  folder = newFolder();
  before = await leftovers();
  // Publishes the app once; its image then serves every test that needs a running app.
  const { code, stdout } = await cli(['check', ...good]);
  expect(code).toBe(0);
  expect(stdout).toContain('modes can be checkpointed');
});

const project = (properties = '') =>
  `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework>${properties}</PropertyGroup></Project>`;

test.each<[string, () => Promise<string[]>, number, RegExp]>([
  ['a folder without a project', async () => ['--project', newFolder(), '--traffic', 'x'], 2, /DS100[24]/],
  [
    'two projects in a folder',
    async () => {
      await file('two/a.csproj', project());
      return ['--project', join(await file('two/b.csproj', project()), '..'), '--traffic', `${app}/traffic.yaml`];
    },
    2,
    /DS1003: .*a\.csproj, b\.csproj/,
  ],
  [
    'a library',
    async () => ['--project', await file('lib/lib.csproj', project()), '--traffic', `${app}/traffic.yaml`],
    2,
    /DS1006/,
  ],
  [
    'a compile error',
    async () => {
      await file('bad/Program.cs', 'int x = "text";');
      return [
        '--project',
        await file('bad/bad.csproj', project('<OutputType>Exe</OutputType>')),
        '--traffic',
        `${app}/traffic.yaml`,
      ];
    },
    1,
    /DS2002[\s\S]*Program\.cs\(1,9\): error CS0029/,
  ],
  [
    'malformed traffic',
    async () => [
      '--image',
      image,
      '--traffic',
      await file('bad.yaml', 'version: 1\nrequests:\n  - path: /\n    repeat: many\n'),
    ],
    2,
    /DS1004: .*bad\.yaml:4:13: .*"many"/,
  ],
  [
    'empty traffic',
    async () => ['--image', image, '--traffic', await file('empty.yaml', 'version: 1\nrequests: []\n')],
    2,
    /DS1005/,
  ],
  [
    'an image that is nowhere',
    async () => ['--image', 'localhost:1/none:1', '--traffic', `${app}/traffic.yaml`],
    1,
    /DS2009/,
  ],
  [
    'a path that is never ready',
    async () => [...fromImage, '--ready-path', '/no', '--ready-timeout', '3'],
    3,
    /DS3001: .*at \/no, .*status 404[\s\S]*\| info: /,
  ],
  [
    'an app that crashes',
    async () => [...fromImage, '--env', 'MODE=crash'],
    3,
    /DS3002: .*exit code 134[\s\S]*this app does not start/,
  ],
  ['a file watcher', async () => [...fromImage, '--env', 'MODE=inotify'], 3, /DS3003: .*inotify[\s\S]*fsnotify/],
  [
    'an answer that is not as expected',
    async () => [
      '--image',
      image,
      '--traffic',
      await file('other.yaml', 'version: 1\nrequests:\n  - path: /\n    expect: { status: 404 }\n'),
    ],
    5,
    /DS5001: [\s\S]*status is 200, expected 404/,
  ],
  [
    'an app that ends while it is warmed',
    async () => ['--image', image, '--traffic', await file('end.yaml', 'version: 1\nrequests:\n  - path: /end\n')],
    3,
    /DS3002: The app ended in round 1/,
  ],
  ['an unknown flag', async () => ['--bogus'], 2, /DS1001: Unknown option '--bogus'/],
])('%s is told with a code and a fix, and leaves nothing', async (_what, args, exitCode, message) => {
  const { code, stderr } = await cli(['build', ...(await args()), '--output', join(folder, 'out')]);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/fix: \S/);
  expect(code).toBe(exitCode);
  expect(await leftovers(before)).toEqual([]);
});

test('no Docker engine is told', async () => {
  const { code, stderr } = await cli(['check', ...fromImage], { DOCKER_HOST: 'unix:///nonexistent' });
  expect(stderr).toContain('DS2001: The Docker engine does not answer.');
  expect(code).toBe(1);
});

test('an image that starts through a shell is refused', async () => {
  const dockerfile = await file('shell/Dockerfile', `FROM ${image}\nENTRYPOINT dotnet modes.dll\n`);
  const { code, stderr } = await cli(['check', '--dockerfile', dockerfile, '--traffic', `${app}/traffic.yaml`]);
  expect(stderr).toMatch(/DS3006: .*through sh/);
  expect(code).toBe(3);
});

test.each([
  ['starts the app without exec', 'dotnet modes.dll; exit', /DS3008: .*start\.sh \(PID 64\).* dotnet \(PID/],
  ['leaves a helper', '(sleep 1000 &); exec dotnet modes.dll', /DS3008: .*dotnet \(PID 64\).* sleep \(PID/],
  ['exports a variable', 'export Shop__Name=x; exec dotnet modes.dll', /DS3011: .*removes Shop__Name before/],
])('an entry script that %s is refused', async (name, script, message) => {
  const start = await file(`${name}/start.sh`, `#!/bin/sh\n${script}\n`);
  await chmod(start, 0o755);
  const dockerfile = await file(
    `${name}/Dockerfile`,
    `FROM ${image}\nCOPY start.sh /start.sh\nENTRYPOINT ["/start.sh"]\nCMD []\n`,
  );
  const from = ['--dockerfile', dockerfile, '--traffic', `${app}/traffic.yaml`, '--name', 'entry'];
  const { code, stderr } = await cli(['check', ...from]);
  expect(stderr).toMatch(message);
  expect(code).toBe(3);
});

test('an image without CRIU is refused', async () => {
  const container = (await docker(['run', '--detach', '--env', 'MODE=', image])).stdout.trim();
  const engine = new Docker(createRun(process.env), 'test');
  await expect(preflight(new Control(engine, container, PROGRAMS))).rejects.toMatchObject({
    code: 'DS3005',
  });
  await docker(['rm', '--force', container]);
});

test('a disk that becomes full while the app is dumped is told as such', async () => {
  const runtime = (
    await docker(['images', '--format', '{{.Repository}}:{{.Tag}}', 'dotnet-snapshot/runtime'])
  ).stdout.split('\n')[0];
  const context = join(
    await file('full/Dockerfile', `FROM ${image}\nCOPY --from=${runtime} /opt/dotnet-snapshot /opt/dotnet-snapshot\n`),
    '..',
  );
  const engine = new Docker(createRun(process.env), 'test');
  await engine.build(context, { tag: 'dotnet-snapshot-test/full' });
  const launcher = '/opt/dotnet-snapshot/bin/launcher';
  const container = (
    await docker([
      'run',
      '--detach',
      '--cap-drop',
      'ALL',
      '--cap-add',
      'CHECKPOINT_RESTORE',
      '--cap-add',
      'SYS_PTRACE',
      '--security-opt',
      'seccomp=unconfined',
      '--tmpfs',
      '/opt/dotnet-snapshot/checkpoint:size=2m,mode=1777',
      '--env',
      'DOTNET_EnableWriteXorExecute=0',
      '--env',
      'DOTNET_USE_POLLING_FILE_WATCHER=1',
      '--entrypoint',
      launcher,
      'dotnet-snapshot-test/full',
      'warm',
      '--',
      'dotnet',
      'modes.dll',
    ])
  ).stdout.trim();
  const control = new Control(engine, container, PROGRAMS);
  const { pid } = await control.process();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const nothingKept = { words: [], leave: [], inImage: new Set<string>() };
  await expect(dump(control, pid, nothingKept, { keepRunning: true, filesLimit: 0 })).rejects.toMatchObject({
    code: 'DS2006',
  });
  await docker(['rm', '--force', container]);
});

test('a port that is taken is told', async () => {
  const holder = (await docker(['run', '--detach', '--publish', '127.0.0.1::8080', image])).stdout.trim();
  const port = Number((await docker(['port', holder, '8080'])).stdout.split(':').at(-1));
  const engine = new Docker(createRun(process.env), 'test');
  const second = await engine.create({ image, publish: { host: port, container: 8080 } });
  await expect(engine.start(second)).rejects.toMatchObject({ code: 'DS2005' });
  await docker(['rm', '--force', holder, second]);
});

test('an interrupt ends the run with nothing left', async () => {
  const { child, finished } = startCli(['build', ...fromImage, '--output', join(folder, 'out')]);
  await new Promise<void>((resolve) => {
    child.stderr?.on('data', (data) => {
      if (String(data).includes('round 1')) resolve();
    });
  });
  child.kill('SIGINT');
  const { code, stderr } = await finished;
  expect(code).toBe(130);
  expect(stderr).toContain('DS2007');
  expect(await leftovers(before)).toEqual([]);
});
