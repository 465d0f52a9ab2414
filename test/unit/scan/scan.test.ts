import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SnapshotError } from '../../../src/errors.ts';
import type { KnownSecret } from '../../../src/model/index.ts';
import { JOB_BYTES } from '../../../src/scan/engine/jobs.ts';
import { pagemap, present } from './criu.ts';
import { scan } from './facade.ts';
import { noise, PAGE, planted, random, snapshot } from './images.ts';

const VALUE = `${random(20)}!k`;
const known: KnownSecret[] = [{ name: 'environment DB_PASSWORD', value: VALUE }];
const utf16 = Buffer.from(VALUE, 'utf16le');

/** A process with one area of memory. */
function onePiece(pages: Buffer, address = 0x7f0000000000) {
  return snapshot({ 'pagemap-100.img': pagemap(1, [present(address, pages.length / PAGE)]), 'pages-1.img': pages });
}

async function findingsIn(dir: string, knownSecrets = known) {
  return (await scan(dir, knownSecrets)).findings;
}

async function errorOf(dir: string): Promise<SnapshotError> {
  const error = await findingsIn(dir).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SnapshotError);
  return error as SnapshotError;
}

test('notes tell that compressed data was searched in part', async () => {
  const body = brotliCompressSync(Buffer.alloc(17 * 1024 * 1024, 0xe9));
  const message = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n'), body]);
  const pages = planted(2, []);
  message.copy(pages, 100);
  const { findings, notes } = await scan(onePiece(pages));
  expect({ findings, notes }).toEqual({ findings: [], notes: [expect.stringMatching(/^1 piece of compressed data /)] });
});

describe('where a known value is found', () => {
  test.each([
    ['at the start', 0],
    ['at the end', 2 * PAGE - VALUE.length],
    ['across a page border', PAGE - 5],
  ])('%s', async (_where, at) => {
    const [finding, ...others] = await findingsIn(onePiece(planted(2, [{ at, text: VALUE }])));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      ruleId: 'known-value',
      description: 'environment DB_PASSWORD',
      encoding: 'utf-8',
      file: 'pages-1.img',
      offset: at,
      address: `0x${(0x7f0000000000 + at).toString(16)}`,
      pid: 100,
      count: 1,
      length: VALUE.length,
    });
  });

  test.each([PAGE, PAGE + 1, PAGE - 7, 2 * PAGE - utf16.length])('in UTF-16LE at byte %i', async (at) => {
    const findings = await findingsIn(onePiece(planted(2, [{ at, text: utf16 }])));
    expect(findings).toMatchObject([{ encoding: 'utf-16le', offset: at, count: 1, length: VALUE.length }]);
  });

  test.each([-VALUE.length, -VALUE.length - 1, -9, -1, 0, 1])(
    'once, %i bytes from the border of a window',
    async (distance) => {
      const at = JOB_BYTES + distance;
      const findings = await findingsIn(onePiece(planted(JOB_BYTES / PAGE + 40, [{ at, text: VALUE }])));
      expect(findings).toMatchObject([{ offset: at, count: 1 }]);
    },
  );

  test.each([-utf16.length + 1, -9, -8, 1])(
    'once in UTF-16LE, %i bytes from the border of a window',
    async (distance) => {
      const at = JOB_BYTES + distance;
      const findings = await findingsIn(onePiece(planted(JOB_BYTES / PAGE + 40, [{ at, text: utf16 }])));
      expect(findings).toMatchObject([{ offset: at, count: 1 }]);
    },
  );

  test('each copy once in text that spans several windows', async () => {
    const line = `${random(1000, undefined, 3)}\n${VALUE}\n`;
    const copies = Math.floor((2.5 * JOB_BYTES) / line.length);
    const pages = noise(3 * (JOB_BYTES / PAGE));
    pages.write(line.repeat(copies));
    expect(await findingsIn(onePiece(pages))).toMatchObject([{ offset: line.indexOf(VALUE), count: copies }]);
  });

  test('longer than the context that rules need', async () => {
    const value = random(200_000);
    const findings = await findingsIn(
      onePiece(planted(JOB_BYTES / PAGE + 60, [{ at: JOB_BYTES - 100, text: value }])),
      [{ name: 'certificate', value }],
    );
    expect(findings).toMatchObject([{ ruleId: 'known-value', length: 200_000, count: 1 }]);
  });

  test('in shared memory, which has no address in a process', async () => {
    const dir = snapshot({
      'pagemap-100.img': pagemap(1, [present(0x1000, 1)]),
      'pages-1.img': noise(1),
      'pagemap-shmem-4711.img': pagemap(2, [present(0, 2)]),
      'pages-2.img': planted(2, [{ at: PAGE - 3, text: VALUE }]),
    });
    const [finding] = await findingsIn(dir);
    expect(finding).toMatchObject({ file: 'pages-2.img', offset: PAGE - 3 });
    expect(finding).not.toHaveProperty('address');
    expect(finding).not.toHaveProperty('pid');
  });

  test('in any other file, and in folders within', async () => {
    const dir = onePiece(noise(1));
    writeFileSync(join(dir, 'pipes-data.img'), `\0\0${VALUE}`);
    mkdirSync(join(dir, 'more'));
    writeFileSync(join(dir, 'more', 'notes.txt'), VALUE);
    const findings = await findingsIn(dir);
    expect(findings).toMatchObject([
      { file: 'more/notes.txt', offset: 0, count: 1, mapping: 'record' },
      { file: 'pipes-data.img', offset: 2, count: 1, mapping: 'pipe' },
    ]);
  });

  test('with characters outside ASCII, in both encodings', async () => {
    const value = 'Zürich-geheim-ß4';
    const pages = planted(2, [
      { at: 11, text: value },
      { at: PAGE - 3, text: Buffer.from(value, 'utf16le') },
    ]);
    expect(await findingsIn(onePiece(pages), [{ name: 'n', value }])).toMatchObject([
      { encoding: 'utf-8', offset: 11 },
      { encoding: 'utf-16le', offset: PAGE - 3 },
    ]);
  });

  test.each(['', 'a', 'ab'])('in base64 behind "%s"', async (before) => {
    const text = Buffer.from(`${before}${VALUE}, and so on`).toString('base64');
    expect(await findingsIn(onePiece(planted(1, [{ at: 64, text }])))).toMatchObject([
      {
        ruleId: 'known-value',
        encoding: 'utf-8 > base64',
        description: 'environment DB_PASSWORD',
        length: VALUE.length,
      },
    ]);
  });
});

describe('extents', () => {
  const [head, tail] = [VALUE.slice(0, 9), VALUE.slice(9)];
  const split = planted(2, [
    { at: PAGE - head.length, text: head },
    { at: PAGE, text: tail },
  ]);

  test('pages next to each other in the file but not in memory are not joined', async () => {
    const map = pagemap(1, [present(0x10000, 1), present(0x20000, 1)]);
    const dir = snapshot({ 'pagemap-1.img': map, 'pages-1.img': split });
    const result = await scan(dir, known);
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({ files: 2, extents: 3, knownSecrets: 1, bytes: split.length + map.length });
  });

  test('entries that continue each other are joined', async () => {
    const dir = snapshot({
      'pagemap-1.img': pagemap(1, [present(0x10000, 1), present(0x11000, 1)]),
      'pages-1.img': split,
    });
    expect(await findingsIn(dir)).toMatchObject([{ offset: PAGE - head.length, address: '0x10ff7' }]);
  });

  test('entries without PE_PRESENT have no pages in the file', async () => {
    const lazy = { 1: 0x10000, 2: 0, 4: 2, 5: 9 };
    const dir = snapshot({
      'pagemap-1.img': pagemap(1, [lazy, present(0x7fffffffe000n, 1)]),
      'pages-1.img': planted(1, [{ at: 16, text: VALUE }]),
    });
    expect(await findingsIn(dir)).toMatchObject([{ address: '0x7fffffffe010' }]);
  });

  test('entries of an older CRIU, count in field 2 and no flags', async () => {
    const dir = snapshot({ 'pagemap-1.img': pagemap(1, [{ 1: 0x10000, 2: 2 }]), 'pages-1.img': split });
    expect(await findingsIn(dir)).toHaveLength(1);
  });
});

describe('what can not be read whole is no clean snapshot', () => {
  const pages = noise(3);
  const map = pagemap(1, [present(0x10000, 1), present(0x20000, 2)]);

  test('a pagemap cut at any byte', async () => {
    for (let length = 0; length < map.length; length++) {
      const dir = snapshot({ 'pagemap-1.img': map.subarray(0, length), 'pages-1.img': pages });
      expect((await errorOf(dir)).code, `${length} bytes`).toBe('DS4002');
    }
  });

  test.each([0, 1, PAGE, 3 * PAGE - 1, 3 * PAGE + 1, 4 * PAGE])('a pages file of %i bytes', async (length) => {
    const dir = snapshot({ 'pagemap-1.img': map, 'pages-1.img': Buffer.alloc(length) });
    expect((await errorOf(dir)).code).toBe('DS4002');
  });

  test.each<[string, Record<string, Buffer>]>([
    ['pages without a pagemap', { 'pagemap-1.img': map, 'pages-1.img': pages, 'pages-2.img': pages }],
    ['a pagemap without pages', { 'pagemap-1.img': map }],
    ['two pagemaps for the same pages', { 'pagemap-1.img': map, 'pagemap-2.img': map, 'pages-1.img': pages }],
    [
      'pages in a parent snapshot',
      { 'pagemap-1.img': pagemap(1, [{ 1: 0x1000, 2: 0, 4: 1, 5: 1 }]), 'pages-1.img': noise(0) },
    ],
    [
      'pages in a parent snapshot, as an older CRIU tells it',
      { 'pagemap-1.img': pagemap(1, [{ 1: 0x1000, 2: 1, 3: 1 }]) },
    ],
    [
      'a count beyond any file',
      { 'pagemap-1.img': pagemap(1, [{ 1: 0x1000, 2: 0, 4: 4, 5: 2n ** 63n }]), 'pages-1.img': pages },
    ],
    ['an entry without an address', { 'pagemap-1.img': pagemap(1, [{ 2: 3 }]), 'pages-1.img': pages }],
    [
      'a number that does not end',
      {
        'pagemap-1.img': Buffer.concat([map.subarray(0, 8), Buffer.from([12, 0, 0, 0, 8]), Buffer.alloc(11, 0xff)]),
        'pages-1.img': pages,
      },
    ],
    ['noise for a pagemap', { 'pagemap-1.img': noise(1), 'pages-1.img': pages }],
  ])('%s', async (_what, files) => {
    expect((await errorOf(snapshot(files))).code).toBe('DS4002');
  });

  test('a symbolic link', async () => {
    const dir = onePiece(noise(1));
    symlinkSync('/etc/hostname', join(dir, 'parent'));
    expect((await errorOf(dir)).code).toBe('DS4002');
  });

  test.each<[string, string]>([
    ['an empty folder', snapshot({})],
    ['a folder without images', snapshot({ 'manifest.json': Buffer.from('{}') })],
    ['no folder', '/nonexistent/snapshot'],
  ])('%s', async (_what, dir) => {
    expect((await errorOf(dir)).code).toBe('DS6002');
  });
});
