import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseWritten, requireKnownSqlite, surveyFiles, type WrittenFile } from '../../src/checkpoint/files.ts';
import type { Docker } from '../../src/engine/docker.ts';
import { SnapshotError } from '../../src/errors.ts';
import type { Area } from '../../src/plan/areas.ts';
import type { Descriptors } from '../../src/plan/descriptors.ts';
import { DESCRIPTOR, KEPT, STEP } from '../../src/plan/format.ts';
import { placeKept } from '../../src/plan/kept.ts';
import { PagesLayout } from '../../src/plan/pages.ts';
import { explainForbidden, requirePlaces } from '../../src/warmup/places.ts';
import { newFolder } from '../harness/folder.ts';

const MIB = 2 ** 20;
const file = (path: string, bytes: number, held = false): WrittenFile => ({
  ...{ kind: 'file', path, bytes, held, readable: true, mode: 0o644, offset: 0, xxh64: '0' },
});

/** What a survey says, and what it orders, of an app that has made `written`, where `changes` differ on its root. */
async function survey(
  written: WrittenFile[],
  writable: string[] = ['/data'],
  changes: Awaited<ReturnType<Docker['diff']>> = [],
) {
  const said: string[] = [];
  const say = (text: string) => said.push(text);
  const log = { info: say, warning: say } as never;
  const docker = { diff: async () => changes } as unknown as Docker;
  const mounts = [
    { source: '/etc/shop', target: '/config', readOnly: true },
    { source: 'store', target: '/store', readOnly: false },
  ];
  const options = { places: { writable, mounts }, filesLimit: 10 * MIB };
  const order = await surveyFiles('c', async () => written, options, { docker, log });
  return { order, said: said.join('\n') };
}

test('lines of the launcher become files, folders and links', () => {
  expect(
    parseWritten(
      'd - 755 0 0 0000000000000000 /data/a b\nl - 777 0 0 0000000000000000 /data/l\t/data/a b\nf ! 600 9 4096 00000000000000ff /x\n',
    ),
  ).toEqual([
    {
      kind: 'folder',
      path: '/data/a b',
      mode: 0o755,
      held: false,
      readable: true,
      offset: 0,
      bytes: 0,
      xxh64: '0000000000000000',
    },
    {
      kind: 'link',
      path: '/data/l',
      mode: 0o777,
      held: false,
      readable: true,
      offset: 0,
      bytes: 0,
      xxh64: '0000000000000000',
      target: '/data/a b',
    },
    {
      kind: 'file',
      path: '/x',
      mode: 0o600,
      held: false,
      readable: false,
      offset: 4096,
      bytes: 9,
      xxh64: '00000000000000ff',
    },
  ]);
});

describe('before the dump', () => {
  test('what travels is named, with its size', async () => {
    const { order, said } = await survey([file('/data/app.db', 4096, true), file('/tmp/x', 10)]);
    expect(said).toContain(
      '2 files of 4 KiB, which each clone has as at the checkpoint: /data/app.db (4 KiB, open), /tmp/x (10 B)',
    );
    expect(order.words).toEqual(['+/tmp', '+/dev/shm', '+/data', '=/store']);
  });

  test('what is not open and does not fit is left, and named; small files come first', async () => {
    const { order, said } = await survey([
      file('/data/big', 9 * MIB),
      file('/data/open', 2 * MIB, true),
      file('/data/small', 5),
    ]);
    expect(order.leave).toEqual(['/data/big']);
    expect(said).toMatch(/no clone has, because files-limit lets 10.0 MiB travel.*: \/data\/big \(9.0 MiB\)/);
  });

  test('what is open and does not fit fails, with the limit that would do', async () => {
    await expect(survey([file('/data/open', 11 * MIB, true)])).rejects.toMatchObject({
      code: 'DS3014',
      fix: expect.stringContaining('files-limit to 11'),
    });
  });

  test('what differs on a root that can be written to travels; what was deleted there is told', async () => {
    const changes = [
      { kind: 'changed', path: '/app' },
      { kind: 'added', path: '/app/new' },
      { kind: 'changed', path: '/app/seed.db' },
      { kind: 'deleted', path: '/app/old' },
      { kind: 'added', path: '/config/x' },
    ] as const;
    const { order, said } = await survey(
      [{ ...file('/app', 0), kind: 'folder' }, file('/app/new', 1), file('/app/seed.db', 2)],
      ['/'],
      [...changes],
    );
    expect(order.words.slice(-2)).toEqual(['./app/new', './app/seed.db']);
    expect([...order.inImage]).toContain('/app/seed.db');
    expect(said).toContain('The app deleted /app/old of its image; a clone has it again.');
  });
});

const app = { workingDirectory: '/app', command: ['dotnet', 'App.dll'] } as unknown as Parameters<
  typeof requirePlaces
>[1];

test('a place that would hide the app is refused', () => {
  for (const writable of ['/app'])
    expect(() => requirePlaces({ writable: [writable], mounts: [] }, app)).toThrow('hide');
  for (const writable of ['/', '/app/data', '/data']) requirePlaces({ writable: [writable], mounts: [] }, app);
});

describe('a write that production forbids', () => {
  const explained = (log: string) =>
    explainForbidden(new SnapshotError('DS3002', 'The app ended.'), log, app) as SnapshotError;

  test.each([
    [
      "IOException: Read-only file system : '/var/shop/a.log'",
      '/var/shop/a.log, which is read-only',
      '--writable /var/shop;',
    ],
    ["IOException: Read-only file system : '/data'", '/data, which is read-only', '--writable /data;'],
    [
      "IOException: Read-only file system : '/app/a.log'",
      '/app/a.log, which is read-only',
      '--writable /app/data, and let the app write to that folder;',
    ],
    [
      "Access to the path '/var/shop/a.log' is denied.",
      'Its user was denied access to /var/shop/a.log.',
      '--writable /var/shop',
    ],
    ["SQLite Error 14: 'unable to open database file'.", 'SQLite could not write', '--writable FOLDER'],
  ])('is the cause where the log says %s', (log, cause, fix) => {
    expect(explained(log).message).toContain(cause);
    expect(explained(log).fix).toContain(fix);
  });

  test('changes nothing where the log tells of none', () => {
    expect(explained('it crashed').message).toBe('The app ended.');
  });
});

describe('a file that is there already in production', () => {
  const [READ, WRITE, BOTH] = [0, 1, 2];
  const policyOf = (path: string, held: boolean, opened: number[], areas: Partial<Area>[] = []) => {
    const list = opened.map((flags, fd) => ({ fd, kind: DESCRIPTOR.FILE, flags, name: path }));
    const descriptors = { list } as unknown as Descriptors;
    return placeKept(new PagesLayout(), [file(path, 10, held)], descriptors, areas as Area[])[0]!.policy;
  };

  test.each([
    ['is appended to where the app only wrote to it', KEPT.APPEND, policyOf('/data/a.log', true, [WRITE, WRITE])],
    ['must be the same where the app has read it, too', KEPT.SAME, policyOf('/data/a.db', true, [WRITE, BOTH])],
    ['must be the same where the app reads it', KEPT.SAME, policyOf('/data/a', true, [READ])],
    [
      'must be the same where it is mapped',
      KEPT.SAME,
      policyOf('/data/a', true, [], [{ kind: STEP.FILE, source: '/data/a' }]),
    ],
    [
      'must be the same where a descriptor of it is mapped',
      KEPT.SAME,
      policyOf('/data/a', true, [WRITE], [{ kind: STEP.DESCRIPTOR, source: 0 }]),
    ],
    ['must be the same where a start would have found it', KEPT.SAME, policyOf('/data/migrated', false, [])],
    ['is left where it is scratch', KEPT.ANY, policyOf('/tmp/cache', false, [])],
  ])('%s', (_what, policy, found) => {
    expect(found).toBe(policy);
  });
});

test('an open database that nobody will tell its new inode fails, by name', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'files.bin'), `${'x'.repeat(8)}SQLite format 3\0${'y'.repeat(100)}`);
  const database = { ...file('/data/app.db', 100, true), offset: 8 };
  await requireKnownSqlite(folder, [database], ['/data/app.db']);
  await requireKnownSqlite(folder, [{ ...database, held: false }], []);
  await expect(requireKnownSqlite(folder, [database], [])).rejects.toMatchObject({
    code: 'DS3008',
    message: expect.stringContaining('/data/app.db'),
  });
});
