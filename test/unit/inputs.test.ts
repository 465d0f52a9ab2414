import { describe, expect, test } from 'vitest';
import { type ReadOption, readCheckpointInputs, readInputs, readWarmInputs } from '../../src/inputs.ts';
import { appName } from '../../src/naming.ts';
import type { OptionName } from '../../src/options.ts';

const given =
  (options: Partial<Record<OptionName, string>>): ReadOption =>
  (name) =>
    options[name];
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
    expect(inputs).toMatchObject({ checkpointAt: 'warmed', hookSeconds: 10 });
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
  ])('%j is refused with what is wrong and how to mend it', (options, message) => {
    expect(failure(options)).toMatchObject({ code: 'DS1001', message });
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

describe('the app’s name', () => {
  const source = (kind: 'project' | 'dockerfile', path: string) =>
    ({ source: { kind, path, publishArguments: [] } }) as never;
  test.each([
    [source('project', 'samples/todo-api'), 'todo-api'],
    [source('project', 'src/TodoApi.csproj'), 'todo-api'],
    [source('dockerfile', 'shop/Dockerfile'), 'shop'],
    [{ source: { kind: 'image', reference: 'ghcr.io/acme/Web_App:1.2' } } as never, 'web-app'],
    [{ name: 'My App!', source: { kind: 'image', reference: 'x' } } as never, 'my-app'],
  ])('of %j is %s', (inputs, expected) => {
    expect(appName(inputs)).toBe(expected);
  });
});
