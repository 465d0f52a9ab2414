import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/model/index.ts';
import { CANARY_ENCODINGS, type CanaryEncoding } from '../../src/scan/canaries.ts';
import { cli, docker } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';
import { copiesOf, filesIn } from '../harness/snapshot-bytes.ts';

/** Where a request carries its secret, and what becomes of it there. */
const PLACES = ['header', 'json', 'form', 'text', 'query', 'outer', 'pinned', 'kept'] as const;

const images: string[] = [];
afterAll(async () => {
  await docker(['image', 'rm', '--force', ...images], { mayFail: true });
});

type Secrets = Record<(typeof PLACES)[number], string>;

function trafficWith(secrets: Secrets): string {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const requests = [
    { path: '/header', headers: { 'x-secret': secrets.header } },
    { path: '/json', method: 'POST', json: { user: 'somebody', password: secrets.json } },
    { path: '/form', method: 'POST', headers: form, body: `secret=${secrets.form}` },
    { path: '/text', method: 'POST', body: `${'-'.repeat(20_000)}${secrets.text}` },
    { path: `/query?secret=${secrets.query}` },
    { path: '/outer', headers: { 'x-secret': secrets.outer } },
    { path: '/pinned', headers: { 'x-secret': secrets.pinned } },
    { path: '/kept', headers: { 'x-secret': secrets.kept } },
  ].map((request) => ({ ...request, repeat: 20, expect: { status: 200 } }));
  return JSON.stringify({ version: 1, requests: [...requests, { path: '/' }] });
}

describe.each([
  // The newest and the oldest: in 9, the buffers have the same names as in one of them.
  { framework: 'net10.0', flags: [] as string[] },
  { framework: 'net8.0', flags: ['--publish-args=--self-contained', '--publish-args=--runtime=linux-x64'] },
])('$framework', ({ framework, flags }) => {
  const secrets = Object.fromEntries(PLACES.map((place) => [place, randomBytes(20).toString('hex')])) as Secrets;
  let log: string;
  let files: Buffer[];
  let manifest: Manifest;

  beforeAll(async () => {
    const output = newFolder();
    const name = `leftovers-${framework.replace('.', '-')}`;
    const image = `dotnet-snapshot-test/${name}:restore-ready`;
    images.push(image, `dotnet-snapshot/${name}:app`);
    const traffic = join(newFolder(), 'traffic.yaml');
    writeFileSync(traffic, trafficWith(secrets));
    const { code, stderr } = await cli([
      'build',
      ...['--project', 'test/integration/apps/leftovers/Leftovers.csproj', '--framework', framework, ...flags],
      ...['--traffic', traffic, '--name', name, '--tag', image, '--output', output, '--pairs', '1', '--clones', '1'],
      ...[
        '--before-checkpoint-path',
        '/before',
        '--warmup-timeout',
        '2',
        '--base-image',
        'mcr.microsoft.com/dotnet/aspnet:10.0',
      ],
    ]);
    expect(stderr).not.toMatch(/DS\d{4}/);
    expect(code).toBe(0);
    log = stderr;
    files = filesIn(join(output, 'snapshot', 'checkpoint'));
    manifest = JSON.parse(readFileSync(join(output, 'snapshot', 'manifest.json'), 'utf8')) as Manifest;
  });

  test('every kind of buffer is known to this version, and was cleared', () => {
    expect(log).toContain(
      'cleared of what requests left in them: server connections, HTTP client connections, array pools, thread caches, server buffers',
    );
  });

  test('what was in use at the first checkpoint is gone from a second one', () => {
    expect(log).toMatch(/value\(s\) of the warmup were left in the app's memory: checkpoint 2 of at most 3 is taken/);
    expect(log).not.toContain('checkpoint 3 of');
    expect(copiesOf(secrets.kept, files)).toBe(0);
  });

  // Uncleared, there are hundreds. A few can lie where the heap has just ended.
  test.each(PLACES)('%s: what requests carried is gone', (place) => {
    expect(copiesOf(secrets[place], files)).toBeLessThan(5);
  });

  test('a canary lies in the memory in each encoding, and in no other', () => {
    const planted = new Map(manifest.canaries!.map(({ encoding, sha256 }) => [sha256, encoding]));
    expect([...planted.values()]).toEqual(CANARY_ENCODINGS);
    expect(canariesIn(files).map(([encoding, sha256]) => [encoding, planted.get(sha256)])).toEqual(
      CANARY_ENCODINGS.map((encoding) => [shown(encoding), encoding]),
    );
  });

  test('the manifest tells where the managed heap is, and how a string is known', () => {
    const { gcHeap, stringType, reservedMemory } = manifest.runtime;
    const [start, end] = gcHeap!.split('-').map((address) => Number.parseInt(address, 16));
    expect(end! - start!).toBeGreaterThan(2 ** 27);
    expect(reservedMemory).toContain(gcHeap!.split('-')[0]);
    // The header of each string holds it, so there are thousands.
    const type = Buffer.alloc(8);
    type.writeBigUInt64LE(BigInt(`0x${stringType}`));
    expect(files.reduce((sum, file) => sum + occurrences(file, type), 0)).toBeGreaterThan(1000);
  });
});

/** An odd address, and the other alphabet of base64, can't be told apart here. */
function shown(encoding: CanaryEncoding): string {
  return encoding.replace(' odd', '').replace('base64url', 'base64');
}

function occurrences(file: Buffer, stored: Buffer | string): number {
  let count = 0;
  for (let at = file.indexOf(stored); at >= 0; at = file.indexOf(stored, at + 1)) count++;
  return count;
}

/** Encoding and SHA-256 of every canary in the files, found and decoded without the scanner. */
function canariesIn(files: readonly Buffer[]): [string, string][] {
  const text = (bytes: Buffer) => bytes.toString('latin1').split('\0')[0]!;
  const readers: [string, Buffer, (bytes: Buffer) => string][] = [
    ['utf-8', Buffer.from('dscanary{'), text],
    ['utf-16le', Buffer.from('dscanary{', 'utf16le'), (bytes) => bytes.toString('utf16le')],
    ['utf-8 > base64', Buffer.from('ZHNjYW5hcnl7'), (bytes) => String(Buffer.from(text(bytes), 'base64'))],
    [
      'utf-8 > hex',
      Buffer.from(Buffer.from('dscanary{').toString('hex')),
      (bytes) => String(Buffer.from(text(bytes), 'hex')),
    ],
    ['utf-8 > url', Buffer.from('dscanary%7B'), (bytes) => decodeURIComponent(text(bytes))],
    ['utf-8 > json', Buffer.from('dscanary\\u007B'), (bytes) => JSON.parse(`"${text(bytes)}"`) as string],
    [
      'gzip > utf-8',
      Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]),
      (bytes) => String(gunzipSync(bytes.subarray(0, 68))),
    ],
  ];
  const found: [string, string][] = [];
  for (const file of files)
    for (const [encoding, start, read] of readers)
      for (let at = file.indexOf(start); at >= 0; at = file.indexOf(start, at + 1)) {
        const canary = /^(dscanary\{[0-9a-f]{32}\})\?\?\?>>>/.exec(
          attempt(() => read(file.subarray(at, at + 256))),
        )?.[1];
        if (canary !== undefined) found.push([encoding, createHash('sha256').update(canary).digest('hex')]);
      }
  const order = CANARY_ENCODINGS.map(shown);
  return found.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
}

/** Other bytes may begin like a canary and be none. */
function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
