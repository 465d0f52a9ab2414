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
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../../../../src/root.ts';
import { searchFiles } from '../../../../src/scan/engine/search.ts';
import { inNoise, noise, randomToken, ruleOf, rulesOf, searchBytes, TOKEN_RULES } from './harness.ts';

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

  it('bounds what comes out of a stream', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
    const started = performance.now();
    expect(await searchBytes(inNoise(Buffer.concat([bomb, Buffer.from(randomToken())])))).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(5_000);
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
