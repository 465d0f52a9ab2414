import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ReadOption, readCheckpointInputs, readInputs, readWarmInputs } from '../../src/inputs.ts';
import { appName, sourceKey } from '../../src/naming.ts';
import type { OptionName } from '../../src/options.ts';
import { newFolder } from '../harness/folder.ts';

const given =
  (options: Partial<Record<OptionName, string>>): ReadOption =>
  (name) =>
    options[name];
const platform = process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64';
const docker = { dockerfile: 'src/Api/Dockerfile', traffic: 'traffic.yaml' };
const least = { project: 'src/App', traffic: 'traffic.yaml' };
const failure = (options: Partial<Record<OptionName, string>>) => {
  try {
    readInputs(given(options));
  } catch (error) {
    return error as { code: string; message: string; fix: string };
  }
  throw new Error('no failure');
};

describe('inputs', () => {
  test('have the documented defaults, also where a door hands over empty strings', () => {
    const inputs = readInputs((name) => (least as Record<string, string>)[name] ?? '');
    expect(inputs).toMatchObject({ port: 8080, readyPath: '/', readyMillis: 60_000, pairs: 5, clones: 3, env: {} });
    expect(inputs).toMatchObject({ checkpointAt: 'warmed', hookSeconds: 10, mayDiffer: [], timers: 'catch-up' });
    expect(Object.keys(inputs)).not.toContain('beforeCheckpointPath');
    expect(inputs.source).toEqual({ kind: 'project', path: 'src/App', publishArguments: [] });
  });

  test('read lists one item a line, and keep "=" inside of values', () => {
    const inputs = readInputs(given({ ...least, env: 'A=1\n\n B=x=y \n', secrets: 'KEY=va=lue' }));
    expect(inputs.env).toEqual({ A: '1', B: 'x=y' });
    expect(inputs.secrets).toEqual([{ name: 'secret KEY', value: 'va=lue', explicit: true }]);
  });

  test.each([
    [{ traffic: 't' }, 'It is not said what to build.'],
    [{ ...least, image: 'x' }, 'project and image exclude each other.'],
    [{ project: 'p' }, 'The input traffic is missing.'],
    [{ ...least, pairs: 'many' }, 'The input pairs is "many".'],
    [{ ...least, port: '70000' }, 'The input port is "70000".'],
    [{ ...least, 'ready-path': 'healthz' }, 'The input ready-path is "healthz".'],
    [{ ...least, 'checkpoint-at': 'once' }, 'The input checkpoint-at is "once".'],
    [{ ...least, 'before-checkpoint-path': 'drain' }, 'The input before-checkpoint-path is "drain".'],
    [{ ...least, 'after-restore-path': '/re join' }, 'The input after-restore-path is "/re join".'],
    [{ ...least, 'hook-timeout': '301' }, 'The input hook-timeout is "301".'],
    [{ ...least, timers: 'stop' }, 'The input timers is "stop".'],
    [{ ...least, 'production-env': 'PORT' }, 'The input production-env has no "=" in line 1.'],
    [{ ...least, context: '.' }, 'The input context is only for a Dockerfile.'],
    [
      { ...docker, 'build-secrets': 'hush=s3cret' },
      'The input build-secrets names no id, or neither env nor src, in line 1.',
    ],
    [{ ...docker, platform: 'linux/s390x' }, `The input platform is "linux/s390x", and this machine is ${platform}.`],
  ])('%j is refused with what is wrong and how to mend it', (options, message) => {
    expect(failure(options)).toMatchObject({ code: 'DS1001', message });
  });

  test('of a Dockerfile are those of docker build', () => {
    const options = {
      context: '.',
      target: 'final',
      platform,
      'build-args': 'A=1\nB=x=y',
      'build-secrets': 'id=feed,env=TOKEN',
    };
    expect(readInputs(given({ ...docker, ...options })).source).toEqual({
      kind: 'dockerfile',
      path: 'src/Api/Dockerfile',
      context: '.',
      buildArguments: { A: '1', B: 'x=y' },
      target: 'final',
      secrets: ['id=feed,env=TOKEN'],
      platform,
    });
  });

  test('tell when the checkpoint is taken and what the app does around it', () => {
    const around = { 'before-checkpoint-path': '/drain', 'after-restore-path': '/join?now=1', 'hook-timeout': '300' };
    expect(readInputs(given({ ...least, ...around, 'checkpoint-at': 'ready' }))).toMatchObject({
      checkpointAt: 'ready',
      beforeCheckpointPath: '/drain',
      afterRestorePath: '/join?now=1',
      hookSeconds: 300,
    });
  });

  test('of an app that others warm need no traffic, but do need the app', () => {
    expect(readWarmInputs(given({ image: 'shop' }))).not.toHaveProperty('trafficFile');
    expect(() => readWarmInputs(given({}))).toThrow('It is not said what to build.');
  });

  test('of a checkpoint on demand are all optional', () => {
    expect(readCheckpointInputs(given({}), true)).toEqual({ secrets: [], scan: { mode: 'fail' }, keep: true });
    expect(readCheckpointInputs(given({ traffic: 't', tag: 'x', output: 'o', secrets: 'A=b' }), false)).toEqual({
      trafficFile: 't',
      tag: 'x',
      output: 'o',
      secrets: [{ name: 'secret A', value: 'b', explicit: true }],
      scan: { mode: 'fail' },
      keep: false,
    });
  });

  test('never repeat a malformed secret in the error', () => {
    const { message, fix } = failure({ ...least, secrets: 'hunter2-without-a-name' });
    expect(message + fix).not.toContain('hunter2');
    expect(message).toBe('The input secrets has no "=" in line 1.');
  });
});

describe('what tells that an app is ready', () => {
  const worker = (ready: string) => readInputs(given({ project: 'src/Worker', ready }));

  test.each([
    ['port', { by: 'port' }],
    ['log:Application started\\.', { by: 'log', pattern: 'Application started\\.' }],
    ['file:/tmp/ready', { by: 'file', path: '/tmp/ready' }],
    ['command:test -e /tmp/ready', { by: 'command', argv: ['test', '-e', '/tmp/ready'] }],
    ['command:["sh", "-c", "exit 0"]', { by: 'command', argv: ['sh', '-c', 'exit 0'] }],
  ])('may be %s, and needs no traffic then', (text, ready) => {
    expect(worker(text)).toMatchObject({ ready, warmupSeconds: 10 });
    expect(worker(text)).not.toHaveProperty('trafficFile');
  });

  test.each(['https', 'port:80', 'log:', 'log:(', 'file:ready', 'command: ', 'command:[1]'])('is not %s', (ready) => {
    expect(failure({ ...least, ready })).toMatchObject({ code: 'DS1001' });
  });

  test('is an answer by default, for which there is to be traffic or a command', () => {
    expect(failure({ project: 'p' }).fix).toContain('without HTTP');
    expect(readInputs(given({ project: 'p', 'warmup-command': 'warm it' })).warmupCommand).toEqual(['warm', 'it']);
  });

  test.each(['shop.example.com', 'localhost:8080', '[::1]:80'])('the Host may be %s', (host) => {
    expect(readInputs(given({ ...least, host })).host).toBe(host);
  });

  test('the Host is no URL', () => {
    expect(failure({ ...least, host: 'https://shop.example' })).toMatchObject({ code: 'DS1001' });
  });
});

describe('the app’s name', () => {
  const source = (kind: 'project' | 'dockerfile', path: string) =>
    ({ source: { kind, path, publishArguments: [] } }) as never;
  test.each([
    [source('project', 'samples/todo-api'), 'todo-api'],
    [source('project', 'src/ShopApi.csproj'), 'shop-api'],
    [source('dockerfile', 'shop/Dockerfile'), 'shop'],
    [{ source: { kind: 'image', reference: 'ghcr.io/acme/Web_App:1.2' } } as never, 'web-app'],
    [{ name: 'My App!', source: { kind: 'image', reference: 'x' } } as never, 'my-app'],
    [source('project', 'shop/Shop.slnx'), 'shop'],
    [source('project', 'tools/TimeServer.cs'), 'time-server'],
  ])('of %j is %s', async (inputs, expected) => {
    expect(await appName(inputs)).toBe(expected);
  });

  test('has the folders above in it where another app of the repository has the same name', async () => {
    const root = newFolder();
    const files = ['.git/config', 'a/Api/Api.csproj', 'b/Api/Api.csproj', 'b/Web.csproj', 'Crème/Café.csproj'];
    files.push(
      'docker/Dockerfile',
      'docker/Dockerfile.worker',
      'a/bin/Web.csproj',
      'Ü/x.csproj',
      '日本/日本.csproj',
      '中/中.csproj',
    );
    for (const file of files) {
      mkdirSync(join(root, dirname(file)), { recursive: true });
      writeFileSync(join(root, file), '');
    }
    const nameOf = (kind: 'project' | 'dockerfile', path: string) => appName(source(kind, join(root, path)));
    expect(await nameOf('project', 'a/Api/Api.csproj')).toBe('a-api');
    expect(await nameOf('project', 'b/Api')).toBe('b-api');
    expect(await nameOf('project', 'b/Web.csproj')).toBe('web');
    expect(await nameOf('project', 'Crème/Café.csproj')).toBe('cafe');
    expect(await nameOf('dockerfile', 'docker/Dockerfile')).toBe('docker');
    expect(await nameOf('dockerfile', 'docker/Dockerfile.worker')).toBe('docker-worker');
    const [one, other] = [await nameOf('project', '日本/日本.csproj'), await nameOf('project', '中/中.csproj')];
    expect(one).not.toBe(other);
  });

  test('is of another app where the path is another, and of the same one in each clone of a repository', async () => {
    const [one, other, elsewhere] = [newFolder(), newFolder(), newFolder()];
    const config = (user: string) => `[remote "origin"]\n\turl = https://${user}git.example/shop.git\n`;
    for (const [folder, user] of [
      [one, ''],
      [other, 'me:secret@'],
    ] as const) {
      mkdirSync(join(folder, '.git'));
      writeFileSync(join(folder, '.git/config'), config(user));
    }
    const key = (folder: string, path: string) => sourceKey(source('project', join(folder, path)));
    expect(await key(one, 'a/Api')).toBe(await key(other, 'a/Api'));
    expect(await key(one, 'a/Api')).not.toBe(await key(one, 'b/Api'));
    expect(await key(one, 'a/Api')).not.toBe(await key(elsewhere, 'a/Api'));
    const named = (path: string) => sourceKey({ ...(source('project', path) as object), name: 'shop' } as never);
    expect(await named('a')).toBe(await named('b'));
  });
});
