import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../../../../src/root.ts';
import { Collector } from '../../../../src/scan/engine/collector.ts';
import { MAX_PLACES } from '../../../../src/scan/engine/hit.ts';
import { searchFiles } from '../../../../src/scan/engine/search.ts';
import { inNoise, noise, randomToken, resultOf, ruleOf, rulesOf, searchBytes, TOKEN_RULES } from './harness.ts';

const GIB = 1024 ** 3;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const RULES = join(PROJECT_ROOT, 'rules');

/** The child as it would be in dist/: running the sources as they are takes memory of its own. */
async function bundledChild(): Promise<string> {
  const dist = join(folder, 'dist');
  await build({
    entryPoints: {
      child: join(import.meta.dirname, 'memory-child.ts'),
      'scan-worker': join(PROJECT_ROOT, 'src/scan/engine/worker.ts'),
    },
    outdir: dist,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    define: { 'import.meta.url': 'importMetaUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
  });
  copyFileSync(join(PROJECT_ROOT, 'dist/scan.wasm'), join(dist, 'scan.wasm'));
  return join(dist, 'child.cjs');
}

describe('memory', () => {
  it('stays under 200 MB for a large file, threads included', { timeout: 120_000 }, async () => {
    const path = join(folder, 'large');
    const fd = openSync(path, 'w');
    ftruncateSync(fd, 2 * GIB);
    const text = Buffer.from(JSON.stringify({ text: randomBytes(300).toString('base64'), key: 'a\nb' }).repeat(200));
    for (let offset = 0; offset < 2 * GIB; offset += GIB / 8) writeSync(fd, text, 0, text.length, offset + 12_345);
    writeSync(fd, 'Zx9-7919-unheard-of', 2 * GIB - 19);
    closeSync(fd);
    const child = await bundledChild();
    const { stdout } = await promisify(execFile)(process.execPath, [child, path, '3', RULES], { env: {} });
    const { peak, bytes, hits } = JSON.parse(stdout);
    expect(hits).toEqual(['known-value']);
    expect(bytes).toBe(2 * GIB);
    expect(peak).toBeLessThan(200e6);
  });

  it('of a value that is there a million times is bounded', () => {
    const collector = new Collector();
    const before = process.memoryUsage().heapUsed;
    for (let offset = 0; offset < 1_000_000; offset++) {
      const value = { ruleId: 'known-value', description: 'n', length: 8, start: 'Zq', sha256: 'e3b0c442'.repeat(8) };
      collector.add({ ...value, encoding: 'utf-8', file: 'pages-1.img', offset, bytes: 8 });
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100e6);
    const [hit] = collector.take();
    expect(hit).toMatchObject({ count: 1_000_000 });
    expect(hit!.places).toHaveLength(MAX_PLACES);
  });
});

describe('compressed data', () => {
  const MIB = 1024 * 1024;
  const zeros = (mib: number, end = '') => Buffer.concat([Buffer.alloc(mib * MIB), Buffer.from(end)]);
  const body = (content: Buffer) =>
    Buffer.concat([Buffer.from('\0HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n'), brotliCompressSync(content)]);
  /** As compressible as to half its size, and no text. */
  const binary = (mib: number) => Buffer.from(randomBytes(mib * MIB).map((byte) => 0xe0 | byte));
  // A header, and a stored block of 64 KiB that holds what follows.
  const stored = Buffer.from('1f8b0800000000000003' + '00ffff0000', 'hex');

  it.each<[string, () => Buffer]>([
    ['gzip headers in what a stream stores', () => Buffer.concat(Array.from({ length: 240 }, () => stored))],
    [
      'gzip in gzip in gzip',
      () =>
        [16, 60, 3].reduce(
          (inner, times) => gzipSync(Buffer.concat(Array.from({ length: times }, () => inner))),
          Buffer.alloc(MIB),
        ),
    ],
    ['many Brotli bodies', () => Buffer.concat(Array(1000).fill(body(zeros(15))))],
    ['one stream', () => gzipSync(zeros(200))],
  ])('that is small and unpacks to no end fails soon: %s', { timeout: 30_000 }, async (_name, make) => {
    const bytes = inNoise(make(), 4096);
    const started = performance.now();
    await expect(searchBytes(bytes)).rejects.toMatchObject({
      code: 'DS4002',
      message: expect.stringMatching(/^pages-1\.img\+0x[0-9a-f]+: compressed data there unpacks to more/),
    });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('is searched to its end, however much comes out', async () => {
    const token = randomToken();
    const packed = gzipSync(zeros(40, token));
    expect(await resultOf(inNoise(packed))).toMatchObject({
      hits: [{ encoding: 'gzip > utf-8', offset: 100, bytes: expect.any(Number), count: 1 }],
      partly: 0,
    });
  });

  it('is searched to its end where it is longer than what is read at once', { timeout: 30_000 }, async () => {
    const packed = gzipSync(Buffer.concat([binary(10), Buffer.from(randomToken())]), { level: 1 });
    expect(packed.length).toBeGreaterThan(5 * MIB);
    const { hits, partly } = await resultOf(inNoise(packed));
    expect({ hits, partly }).toMatchObject({ hits: [{ encoding: 'gzip > utf-8', offset: 100, count: 1 }], partly: 0 });
    // Up to where the last of it was read: all but the checksum.
    expect(Math.abs(hits[0]!.bytes - packed.length)).toBeLessThan(16);
  });

  it('counts where it was searched in part', { timeout: 60_000 }, async () => {
    const inner = gzipSync(randomBytes(MIB));
    const parts = [gzipSync(binary(40), { level: 1 }), body(zeros(17, randomToken())), gzipSync(inner)];
    expect(parts[0]!.length).toBeGreaterThan(17 * MIB);
    expect((await resultOf(inNoise(parts[0]!))).partly).toBe(1);
    expect((await resultOf(inNoise(parts[1]!))).partly).toBe(1);
    expect((await resultOf(inNoise(parts[2]!))).partly).toBe(1);
  });

  it('does not count what memory holds no more of', async () => {
    const packed = gzipSync(Buffer.concat([binary(1), Buffer.from(randomToken())]));
    expect((await resultOf(inNoise(packed.subarray(0, packed.length - 1000), 0))).partly).toBe(0);
    expect((await resultOf(inNoise(body(binary(1)).subarray(0, 300_000)))).partly).toBe(0);
  });
});

describe('a search that can not be done whole', () => {
  const files = (path: string, size: number) => [
    { name: 'a/pages-1.img', size, path, start: 0, extents: [{ offset: 0, length: size }] },
  ];

  it.each([1, 2])('fails where a file is shorter than said, with %i threads', async (threads) => {
    const path = join(folder, 'bytes');
    writeFileSync(path, noise(20_000_000));
    truncateSync(path, 19_999_999);
    await expect(
      searchFiles(files(path, 20_000_000), { rules: TOKEN_RULES, known: [] }, { threads }),
    ).rejects.toMatchObject({ code: 'DS4002', message: expect.stringContaining('a/pages-1.img') });
  });

  it.each([1, 2])('fails where a file can not be read, with %i threads', async (threads) => {
    const path = join(folder, 'none');
    await expect(
      searchFiles(files(path, 20_000_000), { rules: TOKEN_RULES, known: [] }, { threads }),
    ).rejects.toMatchObject({ code: 'DS4002' });
  });

  it.each([1, 2])('fails where a rule can not be compiled, with %i threads', async (threads) => {
    const path = join(folder, 'bytes');
    writeFileSync(path, Buffer.concat([noise(18_000_000), Buffer.from(` ${randomToken()} `), noise(1_000_000)]));
    const rules = rulesOf(ruleOf({ regex: 'tok_(' }));
    await expect(searchFiles(files(path, 19_000_000), { rules, known: [] }, { threads })).rejects.toThrow();
  });

  it('finds what is left of a stream whose end is overwritten', async () => {
    const content = Buffer.from(
      `${randomToken()} ${Array.from({ length: 3000 }, () => randomBytes(2).toString('hex')).join(' ')}`,
    );
    const packed = gzipSync(content);
    noise(packed.length - 2000).copy(packed, 2000);
    expect(await searchBytes(inNoise(packed))).toMatchObject([{ encoding: 'gzip > utf-8', count: 1 }]);
    expect(await searchBytes(inNoise(packed.subarray(0, 2000), 0))).toMatchObject([{ encoding: 'gzip > utf-8' }]);
  });
});

describe('what was told of', () => {
  it('is not told of again by a rule where a known value was found', async () => {
    const token = randomToken();
    const known = [{ name: 'environment TOKEN', value: token }];
    for (const text of [token, `"${token}"`, Buffer.from(token).toString('base64')]) {
      expect(await searchBytes(inNoise(text), { known })).toMatchObject([{ ruleId: 'known-value', count: 1 }]);
    }
  });

  it('is told of again by a rule where more than the known value is in the match', async () => {
    const known = [{ name: 'environment CLIENT', value: 'pubClientId-7f3a9c21d4e5b6' }];
    const rules = rulesOf(ruleOf({ id: 'header', regex: 'key: (\\S+)', secretGroup: 1, keywords: ['key:'] }));
    const idsOf = async (text: string) => (await searchBytes(inNoise(text), { known, rules })).map((hit) => hit.ruleId);
    expect((await idsOf(`key: ${known[0]!.value}.Zx9Qw8Er7Ty6`)).sort()).toEqual(['header', 'known-value']);
    expect((await idsOf(`key: q8Er7Ty6.${known[0]!.value}`)).sort()).toEqual(['header', 'known-value']);
    expect(await idsOf(`key: "${known[0]!.value}";`)).toEqual(['known-value']);
    expect(await idsOf(`key: ${known[0]!.value}:${known[0]!.value}`)).toEqual(['known-value']);
  });

  it('is not told of again by a rule in what is decoded from it', async () => {
    const inner = `tok_${randomBytes(16).toString('hex')}`;
    const outer = ruleOf({ id: 'outer', regex: 'OUT[A-Za-z0-9+/=]{40,}', keywords: ['out'] });
    const text = `OUT${Buffer.from(inner).toString('base64')}`;
    const hits = await searchBytes(inNoise(text), { rules: rulesOf(outer, ruleOf()) });
    expect(hits.map((hit) => hit.ruleId)).toEqual(['outer']);
    const known = [{ name: 'n', value: inner }];
    const more = await searchBytes(inNoise(text), { rules: rulesOf(outer, ruleOf()), known });
    expect(more.map((hit) => hit.ruleId).sort()).toEqual(['known-value']);
  });

  it('is searched for by rules without keywords in every text', async () => {
    const rules = rulesOf(ruleOf({ regex: '[0-9a-f]{32}', keywords: [] }));
    expect(await searchBytes(inNoise(Buffer.from(randomToken(), 'utf16le')), { rules })).toHaveLength(1);
  });
});
