import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { JOB_BYTES } from '../../../../src/scan/engine/jobs.ts';
import { compilePatterns } from '../../../../src/scan/engine/patterns.ts';
import { inNoise, noise, randomToken, searchBytes } from './harness.ts';

const token = (length = 12) => randomBytes(length).toString('hex');
const knows = (value: string) => ({ known: [{ name: 'n', value }] });

/** What the first pass makes of a value, and of which letters memory has it. */
const VALUES = {
  'begins with other letters': () => `ü漢字${token()}`,
  'ends with other letters': () => `${token()}ß€😀`,
  'has other letters around and within': () => `é${token(5)}${token(5)}ßÄ${token(4)}è`,
  'has letters that are text in UTF-16, byte by byte': () => `䅁䅂䅃䅄${token()}䅁䅂䅃䅄`,
  'has control characters': () => `\u0001${token()}\u007f`,
  'has too few letters of ASCII': () => `päss${token(2)}wörd`,
  'has none at all': () => 'пароль-шесть-семь',
  'has many blanks': () => `${' '.repeat(20)}ü${token(3)}`,
};

describe.each(Object.entries(VALUES))('a value that %s', (_what, make) => {
  it('is found at each alignment, in both encodings, once', async () => {
    const value = make();
    const [narrow, wide] = [Buffer.from(value), Buffer.from(value, 'utf16le')];
    for (let shift = 0; shift < 64; shift += 3) {
      const bytes = Buffer.concat([noise(shift), narrow, noise(1), wide, noise(2), wide, narrow]);
      const hits = await searchBytes(bytes, knows(value));
      expect(hits.map(({ encoding, count }) => [encoding, count]).sort()).toEqual([
        ['utf-16le', 2],
        ['utf-8', 2],
      ]);
      const first = hits.find(({ encoding }) => encoding === 'utf-8')!;
      expect(first).toMatchObject({ offset: shift, bytes: narrow.length, length: value.length });
    }
  });

  it('is found across the borders of what is read at once', async () => {
    const value = make();
    for (const stored of [Buffer.from(value), Buffer.from(value, 'utf16le')]) {
      const bytes = noise(2 * JOB_BYTES);
      for (let back = 0; back <= stored.length; back += 5) {
        stored.copy(bytes, JOB_BYTES - back);
        const hits = await searchBytes(bytes, knows(value));
        expect(hits).toMatchObject([{ count: 1, offset: JOB_BYTES - back }]);
        noise(stored.length).copy(bytes, JOB_BYTES - back);
      }
    }
  });

  it('is not found where a part is missing', async () => {
    const value = make();
    for (const stored of [Buffer.from(value), Buffer.from(value, 'utf16le')]) {
      const bytes = Buffer.concat([stored, stored]);
      const { length } = stored;
      const extents: [number, number][] = [
        [0, length - 1],
        [length + 1, length - 1],
      ];
      expect(await searchBytes(bytes, { ...knows(value), extents })).toEqual([]);
    }
  });

  it('is not completed by what was decoded before', async () => {
    const value = make();
    const whole = Buffer.from(`${value}`);
    for (const part of [whole.subarray(0, -1), whole.subarray(0, -2)]) {
      const bytes = Buffer.concat([gzipSync(whole), noise(9), gzipSync(part), noise(9)]);
      expect(await searchBytes(bytes, knows(value))).toMatchObject([{ encoding: 'gzip > utf-8', count: 1 }]);
    }
  });
});

it('such values take no pass of their own where a part of them is text', () => {
  const known = Object.values(VALUES).map((make, index) => ({ name: `n${index}`, value: make() }));
  const { raw } = compilePatterns([], false, known);
  expect(new Set(raw.map(({ literal }) => literal.secret))).toEqual(new Set([5, 6, 7]));
});

it('one that a rule matches too is told of once', async () => {
  const value = `${randomToken()}ü`;
  expect(await searchBytes(inNoise(value), knows(value))).toMatchObject([{ ruleId: 'known-value', count: 1 }]);
});
