import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseManifest, tellPreparation } from '../../src/checkpoint/checkpoint.ts';
import { Control } from '../../src/checkpoint/control.ts';
import type { Docker } from '../../src/engine/docker.ts';
import { recordingLog } from '../harness/recording-log.ts';

const programs = { launcher: '/launcher', criu: '/criu' };

/** A control whose launcher always answers the same. */
function answering(stdout: string, code = 0): Control {
  const answer = async () => ({ code, stdout, stderr: '' });
  const docker = { exec: answer, converse: () => ({ ask: answer }) } as unknown as Docker;
  return new Control(docker, 'container', programs);
}

const prepared = {
  clearedPools: [],
  clearedLeftovers: [],
  heapBytesBefore: 2,
  heapBytesAfter: 1,
  gate: true,
  inFlight: 0,
  jitQuiet: true,
  choosesAnew: true,
  hookSeconds: 10,
  startReads: { variables: [], keys: [], unread: [] },
  open: [] as string[],
  forgottenKeys: [],
  endedTokens: [] as string[],
  waiting: [] as string[],
  sqlite: [] as string[],
};

test('answers are checked and handed on', async () => {
  expect(await answering('{"ran":2}\n').warm()).toEqual({ ran: 2 });
  expect(await answering('{"resumed":true}\n').resume()).toEqual({ resumed: true });
  expect(await answering(JSON.stringify(prepared)).prepare({ host: 'localhost' })).toEqual(prepared);
});

test('files of the app and its semaphores are read as the launcher lists them', async () => {
  const lines = [
    'file 8704 1795268644 217c4c6d8e988a25 /app/My App.dll',
    'file 5 -1 00000000000000ff /app/old.dll',
    'semaphore 17',
    '',
  ];
  expect(await answering(lines.join('\n')).files()).toEqual({
    appFiles: [
      { path: '/app/My App.dll', bytes: 8704, modified: 1795268644, xxh64: '217c4c6d8e988a25' },
      { path: '/app/old.dll', bytes: 5, modified: -1, xxh64: '00000000000000ff' },
    ],
    semaphores: [17],
  });
  await expect(answering('', 1).files()).rejects.toMatchObject({ code: 'DS3002' });
});

test('a hook that fails is DS3007, in the companion’s words', async () => {
  const cause = 'before-checkpoint hook Shop.Cache.Drop threw InvalidOperationException';
  await expect(
    answering(JSON.stringify({ error: cause, code: 'DS3007' })).prepare({ host: 'localhost' }),
  ).rejects.toMatchObject({
    code: 'DS3007',
    message: cause,
  });
});

test.each(['{"error":"IOException: no"}', '{"error":"IOException: no","code":"DS4001"}'])(
  '%s is DS3002: the app’s process chooses no other code',
  async (line) => {
    await expect(answering(line).warm()).rejects.toMatchObject({
      code: 'DS3002',
      message: 'The companion inside the app failed at "warm": IOException: no',
    });
  },
);

test.each([
  ['{"ran":"two"}', 0],
  ['', 1],
])('the answer %j with exit code %d is none', async (line, code) => {
  await expect(answering(line, code).warm()).rejects.toMatchObject({
    code: 'DS3002',
    message: 'The companion inside the app does not answer "warm".',
  });
});

test('canaries are known by digests alone', async () => {
  const seed = randomUUID();
  const answer = { canaries: [{ encoding: 'utf-16le odd', seed }] };
  const sha256 = createHash('sha256')
    .update(`dscanary{${seed.replaceAll('-', '')}}`)
    .digest('hex');
  expect(await answering(JSON.stringify(answer)).canaries()).toEqual([{ encoding: 'utf-16le odd', sha256 }]);
  await expect(answering('{"canaries":[]}').canaries()).rejects.toMatchObject({ code: 'DS3002' });
});

describe('the configuration', () => {
  /** A control whose launcher gives the next answer each time, and the requests that it was sent. */
  function paging(...answers: unknown[]): { control: Control; requests: string[] } {
    const requests: string[] = [];
    const ask = async (request: string) => {
      requests.push(request);
      return { code: 0, stdout: JSON.stringify(answers.shift()), stderr: '' };
    };
    const docker = { converse: () => ({ ask }) } as unknown as Docker;
    return { control: new Control(docker, 'container', programs), requests };
  }

  test('is read page by page', async () => {
    const [first, second] = [
      { key: 'Shop:Title', value: 'Our Shop' },
      { key: 'Jwt:Key', value: randomUUID() },
    ];
    const { control, requests } = paging({ entries: [first], next: 1 }, { entries: [second], next: null });
    expect(await control.configuration()).toEqual([first, second]);
    expect(requests).toEqual(['configuration 0', 'configuration 1']);
  });

  test('is in no error', async () => {
    const value = randomUUID();
    const { control } = paging({ entries: [{ key: 'Jwt:Key', value }], next: 'soon' });
    const error = await control.configuration().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'DS3002' });
    expect(JSON.stringify(error)).not.toContain(value);
  });
});

test('a quiet app is prepared without a word', () => {
  const log = recordingLog();
  tellPreparation(prepared, { ready: { by: 'http' } }, log);
  expect([...log.infos, ...log.warnings]).toEqual([]);
});

test('what is still open, and requests that could not be held or did not end, are told', () => {
  const log = recordingLog();
  const open = ['tcp 10.0.0.1:5432', 'file /data/shop.db'];
  tellPreparation(
    { ...prepared, clearedPools: ['Npgsql'], clearedLeftovers: ['array pools'], open, gate: false, inFlight: 3 },
    { ready: { by: 'http' } },
    log,
  );
  expect(log.infos).toEqual([
    'emptied connection pools: Npgsql',
    'cleared of what requests left in them: array pools',
    'still open: tcp 10.0.0.1:5432, file /data/shop.db',
  ]);
  expect(log.warnings).toHaveLength(2);
  expect(log.warnings[0]).toContain('no ASP.NET Core host');
  expect(log.warnings[1]).toMatch(/^3 request/);
});

test('what the warmup left in queues is told', () => {
  const log = recordingLog();
  tellPreparation({ ...prepared, waiting: ['3 of Shop.Mail in a channel'] }, { ready: { by: 'http' } }, log);
  expect(log.warnings).toEqual([
    '3 of Shop.Mail in a channel: the warmup left this, and every clone will take it up; empty the queue in RegisterBeforeCheckpoint.',
  ]);
});

test.each(['{"id": s3cret-of-the-app', '{"id": {"s3cret-of-the-app": 1}, "app": "s3cret-of-the-app"}'])(
  'what is no manifest is not shown: %s',
  (text) => {
    const thrown = (() => {
      try {
        return parseManifest(text, 'the manifest');
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toMatchObject({ code: 'DS6002', message: 'the manifest is not a manifest of version 1.' });
    expect(JSON.stringify(thrown)).not.toContain('s3cret');
  },
);
