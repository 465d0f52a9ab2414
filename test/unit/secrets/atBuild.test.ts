import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readWarmInputs } from '../../../src/inputs.ts';
import { scrubber, secretVariables, variablesAtBuild } from '../../../src/secrets/atBuild.ts';
import { recordingLog } from '../../harness/recording-log.ts';

const password = randomBytes(12).toString('hex');
const connection = `Host=db;Username=app;Password=${password};Database=todos`;
const env = { Title: 'Todos', ConnectionStrings__Todos: connection };

test('the input is one of three, and scrub where it is not given and a secret is', () => {
  const options: Record<string, string> = { image: 'shop' };
  const read = () => readWarmInputs((name) => options[name]).secretsAtBuild;
  expect(read()).toBe('real');
  options.env = 'Title=Todos\nASPNETCORE_Kestrel__Certificates__Default__Password=Xk29sLq0pW7z';
  expect(read()).toBe('real');
  options.env += '\nAPI_KEY=Xk29sLq0pW7z';
  expect(read()).toBe('scrub');
  options['secrets-at-build'] = 'real';
  expect(read()).toBe('real');
  for (const mode of ['placeholder', 'scrub']) {
    options['secrets-at-build'] = mode;
    expect(read()).toBe(mode);
  }
  options['secrets-at-build'] = 'none';
  expect(read).toThrow('The input secrets-at-build is "none".');
});

test.each(['real', 'scrub'] as const)('%s: the app is warmed with the real values', (mode) => {
  expect(variablesAtBuild(mode, env, recordingLog())).toEqual({ env, names: [], texts: [] });
});

test('placeholder: the app is warmed with fakes, and the log says in which variables', () => {
  const log = recordingLog();
  const { env: warmed, texts } = variablesAtBuild('placeholder', env, log);
  expect(warmed.Title).toBe('Todos');
  expect(warmed.ConnectionStrings__Todos).toMatch(/^Host=db;Username=app;Password=[0-9a-f]{24};Database=todos$/);
  expect(JSON.stringify(warmed)).not.toContain(password);
  expect(texts).toEqual([/Password=([^;]+)/.exec(warmed.ConnectionStrings__Todos!)![1]]);
  expect(log.infos).toEqual(['warmed with placeholders in ConnectionStrings__Todos']);
});

test.each(['placeholder', 'scrub'] as const)(
  '%s: what only the start reads stays as it is, with a warning',
  async (mode) => {
    const name = 'ASPNETCORE_Kestrel__Certificates__Default__Password';
    const log = recordingLog();
    const folder = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-test-'));
    try {
      await writeFile(join(folder, 'pages-1.img'), password);
      expect(variablesAtBuild(mode, { [name]: password }, log).env).toEqual({ [name]: password });
      await scrubber(mode, { [name]: password }, log)?.(folder);
      expect(await readFile(join(folder, 'pages-1.img'), 'latin1')).toBe(password);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    expect(log.warnings).toEqual([
      `secrets-at-build: ${mode} leaves ${name} as it is. ${name} is only read when the app starts, so it can be neither replaced nor overwritten: give the secret under the name Kestrel__Certificates__Default__Password, without the prefix, or by a mounted file.`,
    ]);
  },
);

describe('what scrubs a snapshot', () => {
  test('is there only where it was asked for', () => {
    for (const mode of ['real', 'placeholder'] as const) expect(scrubber(mode, env, recordingLog())).toBeUndefined();
  });

  test('overwrites the secret part of variables and leaves the rest, and the log tells the names', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-test-'));
    try {
      const key = randomBytes(20).toString('base64url');
      await writeFile(join(folder, 'pages-1.img'), `${connection}\0${password}\0key ${key}`);
      const log = recordingLog();
      await scrubber('scrub', { ...env, API_KEY: key, SHORT_TOKEN: 'abc' }, log)!(folder);
      const x = 'x'.repeat(password.length);
      expect(await readFile(join(folder, 'pages-1.img'), 'latin1')).toBe(
        `${connection.replace(password, x)}\0${x}\0key ${'x'.repeat(key.length)}`,
      );
      expect(log.infos).toEqual([
        'Not searched for: environment SHORT_TOKEN (shorter than 8 characters).',
        'overwritten in the snapshot: 2 x environment ConnectionStrings__Todos (Password)',
        'overwritten in the snapshot: 1 x environment API_KEY',
      ]);
      expect(log.infos.join()).not.toContain(key);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

test('the companion is told which secrets production has others of, and no other variable', () => {
  const env = {
    Jwt__SigningKey: 'kQ8x!vT2mZ4w9LrB7n',
    ConnectionStrings__Db: 'Server=db;Password=kQ8x!vT2mZ',
    Title: 'shop',
  };
  expect(secretVariables('placeholder', env)).toEqual(['Jwt__SigningKey', 'ConnectionStrings__Db']);
  expect(secretVariables('scrub', env)).toEqual(['Jwt__SigningKey', 'ConnectionStrings__Db']);
  expect(secretVariables('real', env)).toEqual([]);
});
