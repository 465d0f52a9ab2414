import { randomBytes } from 'node:crypto';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CONTEXT, JOB_BYTES } from '../../../../src/scan/engine/jobs.ts';
import { noise, randomToken, searchBytes, sha256 } from './harness.ts';

/** Noise of four bits a byte. */
function compressible(length: number): Buffer {
  return noise(length).map((byte) => byte & 0x8f) as Buffer;
}

const forms = {
  'utf-8': (text: string) => Buffer.from(text),
  'utf-16le': (text: string) => Buffer.from(text, 'utf16le'),
  'utf-8 > base64': (text: string) => Buffer.from(Buffer.from(text).toString('base64')),
  'utf-8 > json': (text: string) => Buffer.from(text.replace('_', '\\u005f')),
} as const;

describe.each(Object.entries(forms))('borders, %s', (encoding, store) => {
  it.each([-35, -13, -1, 0])('finds values around each cut, one at %i of it, once', async (crossing) => {
    const bytes = noise(2 * JOB_BYTES + 1000);
    const tokens: string[] = [];
    for (const border of [JOB_BYTES - CONTEXT, JOB_BYTES, JOB_BYTES + CONTEXT, 2 * JOB_BYTES]) {
      for (const shift of [-400, -220, crossing, 300]) {
        const token = randomToken();
        tokens.push(token);
        store(token).copy(bytes, border + shift);
      }
    }
    const hits = await searchBytes(bytes);
    expect(hits.map((hit) => hit.sha256).sort()).toEqual(tokens.map(sha256).sort());
    expect(hits.every((hit) => hit.count === 1 && hit.encoding === encoding)).toBe(true);
  });

  it('finds a value at the start and at the end of an extent of any length', async () => {
    for (let extra = 0; extra < 70; extra += 3) {
      const [first, last] = [store(randomToken()), store(randomToken())];
      const bytes = Buffer.concat([first, noise(extra), last]);
      expect(await searchBytes(bytes), `${extra} bytes between`).toHaveLength(2);
    }
  });

  it('does not join extents', async () => {
    const stored = store(randomToken());
    const bytes = Buffer.concat([noise(4096 - 20), stored, noise(5000)]);
    const half = 4096 - 20 + (stored.length >> 1);
    expect(
      await searchBytes(bytes, {
        extents: [
          [0, half],
          [half, bytes.length - half],
        ],
      }),
    ).toEqual([]);
    expect(await searchBytes(bytes)).toHaveLength(1);
  });
});

describe('places', () => {
  it('finds a value at each of 64 alignments, in both widths', async () => {
    for (let shift = 0; shift < 64; shift++) {
      const [narrow, wide] = [randomToken(), randomToken()];
      const bytes = Buffer.concat([
        noise(64 + shift),
        Buffer.from(narrow),
        noise(1),
        Buffer.from(wide, 'utf16le'),
        noise(9),
      ]);
      const hits = await searchBytes(bytes);
      expect(hits.map((hit) => [hit.encoding, hit.offset])).toEqual([
        ['utf-8', 64 + shift],
        ['utf-16le', 64 + shift + 36 + 1],
      ]);
    }
  });

  it('finds the shortest known value beside others of any kind', async () => {
    const value = randomBytes(4).toString('hex');
    const known = [{ name: 'n', value }];
    const narrow = Buffer.from(value);
    const wide = Buffer.from(value, 'utf16le');
    for (const [bytes, count] of [
      [Buffer.concat([narrow, wide]), 2],
      [Buffer.concat([narrow, Buffer.alloc(1), wide, Buffer.from([1]), wide, narrow]), 4],
      [Buffer.concat([wide.subarray(0, 15), Buffer.from('!'), narrow]), 1],
    ] as const) {
      const hits = await searchBytes(bytes, { known });
      expect(hits.reduce((sum, hit) => sum + hit.count, 0)).toBe(count);
    }
  });

  it('finds UTF-16 that begins with the last letter before it', async () => {
    const token = randomToken();
    const bytes = Buffer.concat([Buffer.from('lettersonly'), Buffer.from(token, 'utf16le')]);
    expect(await searchBytes(bytes)).toMatchObject([{ encoding: 'utf-16le', offset: 11 }]);
  });

  it('finds each value in a text of many megabytes, once, in whichever form', async () => {
    const filler = 'The quick brown fox jumps over the lazy dog. ';
    const parts: string[] = [];
    const tokens: string[] = [];
    for (let index = 0; index < 120; index++) {
      const token = randomToken();
      tokens.push(token);
      parts.push(
        filler.repeat(1 + index * 12),
        [token, Buffer.from(token).toString('base64'), `${token}%20x`][index % 3]!,
      );
    }
    const text = parts.join(' ').repeat(1);
    for (const bytes of [Buffer.from(text), Buffer.from(text, 'utf16le')]) {
      const hits = await searchBytes(bytes);
      expect(hits.map((hit) => hit.sha256).sort()).toEqual(tokens.map(sha256).sort());
      expect(hits.every((hit) => hit.count === 1)).toBe(true);
    }
  });

  it('finds values in a long stretch of base64 and in a large stream', async () => {
    const tokens = Array.from({ length: 60 }, randomToken);
    const content = Buffer.concat(tokens.flatMap((token) => [compressible(30_000), Buffer.from(`-${token}-`)]));
    const packed = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
    const answer = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\ncontent-encoding: br\r\n\r\n'), packed]);
    for (const stored of [Buffer.from(content.toString('base64')), gzipSync(content), answer]) {
      const bytes = Buffer.concat([noise(JOB_BYTES - CONTEXT), stored, noise(100)]);
      const hits = await searchBytes(bytes);
      expect(hits.map((hit) => hit.sha256).sort()).toEqual(tokens.map(sha256).sort());
      expect(hits.every((hit) => hit.count === 1)).toBe(true);
    }
  });

  it('counts values and keeps their places, with threads as without', async () => {
    const [token, value] = [randomToken(), randomBytes(20).toString('base64')];
    const bytes = noise(20 * 1024 * 1024);
    const places = [5, JOB_BYTES - 10, 3_000_000, 9_000_001, 19_999_990].flatMap((offset) => [offset, offset + 100]);
    places.forEach((offset, index) => {
      bytes.write(index % 2 ? token : value, offset);
    });
    const known = [{ name: 'n', value }];
    const single = await searchBytes(bytes, { known });
    expect(single).toMatchObject([
      {
        ruleId: 'known-value',
        count: 5,
        offset: 5,
        places: places.filter((_, i) => i % 2 === 0).map((offset) => ({ file: 'pages-1.img', offset })),
      },
      { ruleId: 'token', count: 5, offset: 105 },
    ]);
    expect(await searchBytes(bytes, { known, threads: 3 })).toEqual(single);
  });
});
