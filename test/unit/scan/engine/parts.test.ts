import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CLASSES } from '../../../../src/scan/engine/abi.ts';
import { buildAutomaton } from '../../../../src/scan/engine/automaton.ts';
import { INPUT_BYTES, JOB_BYTES, jobsOf } from '../../../../src/scan/engine/jobs.ts';
import { compilePatterns } from '../../../../src/scan/engine/patterns.ts';
import { inNoise, noise, searchBytes, TOKEN_RULES } from './harness.ts';

describe('the automaton', () => {
  it('tells of every pattern where it ends, in any case', () => {
    const patterns = ['she', 'he', 'hers', 'his', 'e'].map((text, id) => [text, id] as const);
    const { classes, transitions, firstAccepting, ends } = buildAutomaton(patterns);
    let state = 0;
    const found = Array.from('uSHers', (char) => {
      state = transitions[state * CLASSES + classes[char.charCodeAt(0)]!]!;
      return state < firstAccepting ? [] : [...ends[state - firstAccepting]!].sort();
    });
    expect(found).toEqual([[], [], [], [0, 1, 4], [], [2]]);
  });

  it('stays small with many known values, which are found all the same', { timeout: 30_000 }, async () => {
    const known = Array.from({ length: 2000 }, (_, index) => ({
      name: `n${index}`,
      value: randomBytes(18).toString('base64'),
    }));
    const { automaton } = compilePatterns([], false, known);
    expect(automaton.transitions.byteLength).toBeLessThan(8_000_000);
    const some = known.filter((_, index) => index % 100 === 0);
    const text = some.map(({ value }) => value).join(' ');
    const hits = await searchBytes(inNoise(Buffer.from(text, 'utf16le')), { known });
    expect(hits.map((hit) => hit.description)).toEqual(some.map(({ name }) => name));
  });
});

describe('jobs', () => {
  it('cover each extent without a gap and without overlap', () => {
    const lengths = [1, 4096, JOB_BYTES, 3 * JOB_BYTES + 5, 100, 200, 300_000, 2 * JOB_BYTES];
    let offset = 0;
    const extents = lengths.map((length) => {
      offset += length;
      return { offset: offset - length, length };
    });
    const jobs = [...jobsOf([{ name: 'a', size: offset, path: '/a', start: 7, extents }])];
    let next = 0;
    for (const job of jobs) {
      expect(job.to - job.from).toBeLessThanOrEqual(INPUT_BYTES);
      for (const part of job.parts) {
        expect(part.ownFrom).toBe(next);
        next = part.ownTo;
        expect(part.from).toBeGreaterThanOrEqual(job.from);
        expect(part.to).toBeLessThanOrEqual(job.to);
        expect(part.from).toBeLessThanOrEqual(part.ownFrom);
      }
    }
    expect(next).toBe(offset);
  });

  it('take extents in any order', () => {
    const extents = [
      { offset: 5000, length: 10 },
      { offset: 0, length: 10 },
    ];
    expect([...jobsOf([{ name: 'a', size: 5010, path: '/a', start: 0, extents }])]).toHaveLength(2);
  });
});

describe('keys in binary form', () => {
  const der = (format: 'pkcs8' | 'pkcs1' | 'sec1', password?: string) => {
    const options = { format: 'der', ...(password ? { cipher: 'aes-256-cbc', passphrase: password } : {}) } as const;
    return format === 'pkcs1'
      ? generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: format, ...options } as never)
      : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: format, ...options } as never);
  };

  it.each([
    ['pkcs8', undefined],
    ['pkcs1', undefined],
    ['sec1', undefined],
    ['pkcs8', 'a passphrase'],
  ] as const)('finds %s (password: %s) once, as it is and in base64', async (format, password) => {
    const key = der(format, password) as unknown as Buffer;
    for (const before of [0, 1, 47, 300]) {
      const hits = await searchBytes(Buffer.concat([noise(before), key, noise(9)]), { rules: TOKEN_RULES });
      expect(hits).toMatchObject([
        { encoding: 'der', offset: before, bytes: key.length, length: key.length, count: 1 },
      ]);
    }
    expect(await searchBytes(inNoise(key.toString('base64')))).toMatchObject([{ encoding: 'utf-8 > base64 > der' }]);
    expect(await searchBytes(inNoise(key.toString('hex')))).toMatchObject([{ encoding: 'utf-8 > hex > der' }]);
  });
});
