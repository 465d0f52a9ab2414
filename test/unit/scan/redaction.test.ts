import { describe, expect, test } from 'vitest';
import { toSnapshotError } from '../../../src/errors.ts';
import {
  findingsToAnnotations,
  findingsToJson,
  findingsToSarif,
  findingsToText,
} from '../../../src/scan/present/index.ts';
import { pagemap, present } from './criu.ts';
import { scan } from './facade.ts';
import { noise, planted, random, snapshot } from './images.ts';

describe('no value is ever told', () => {
  const knownValue = `${random(20)}!K`;
  const shortValue = 'Qz7!kv';
  const tokenValue = `ghp_${random(36, undefined, 99)}`;
  const knownSecrets = [
    { name: 'environment DB_PASSWORD', value: knownValue },
    { name: 'environment PIN_TOKEN', value: shortValue },
  ];
  const pages = planted(2, [
    { at: 100, text: knownValue },
    { at: 1000, text: Buffer.from(knownValue, 'utf16le') },
    { at: 2000, text: `token=${tokenValue}` },
    { at: 3001, text: Buffer.from(`token=${tokenValue}`, 'utf16le') },
    { at: 3500, text: Buffer.from(knownValue).toString('base64') },
  ]);

  /** Everything that a scan of these files says to anybody, and how it ended. */
  async function scanAloud(files: Record<string, Buffer>): Promise<{ output: string; end: string }> {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const log = { info: say, warning: say, debug: say, group: <T>(_t: string, work: () => Promise<T>) => work() };
    let end: string;
    try {
      const scanned = await scan(snapshot(files), knownSecrets, { log });
      const shown = [findingsToJson(scanned, '1'), findingsToSarif(scanned, '1'), findingsToAnnotations(scanned)];
      said.push(findingsToText(scanned), ...shown.map((form) => JSON.stringify(form)));
      end = `${scanned.findings.length} findings`;
    } catch (error) {
      const failure = toSnapshotError(error);
      said.push(failure.format(), failure.stack ?? '', JSON.stringify(failure));
      end = failure.code;
    }
    return { output: said.join('\n'), end };
  }

  test.each<[string, string, Record<string, Buffer>]>([
    ['a scan', '5 findings', { 'pagemap-5.img': pagemap(1, [present(0x1000, 2)]), 'pages-1.img': pages }],
    ['a scan that fails', 'DS4002', { 'pagemap-5.img': pagemap(1, [present(0x1000, 3)]), 'pages-1.img': pages }],
    ['a secret for a pagemap', 'DS4002', { 'pagemap-5.img': pages, 'pages-1.img': noise(1) }],
  ])('by %s', async (_what, expectedEnd, files) => {
    const { output, end } = await scanAloud(files);
    expect(end).toBe(expectedEnd);
    for (const value of [knownValue, shortValue, tokenValue]) {
      expect(output).not.toContain(value);
      expect(output).not.toContain(value.slice(0, 6));
      expect(output).not.toContain(Buffer.from(value, 'utf16le').toString('latin1'));
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        expect(output).not.toContain(Buffer.from(value).toString(encoding).replace(/=+$/, ''));
      }
    }
  });

  test('counts are of the same rule, value and encoding', async () => {
    const twice = planted(2, [
      { at: 10, text: tokenValue },
      { at: 110, text: tokenValue },
      { at: 210, text: `ghp_${random(36, undefined, 5)}` },
    ]);
    const { findings } = await scan(
      snapshot({ 'pagemap-5.img': pagemap(1, [present(0x1000, 2)]), 'pages-1.img': twice }),
    );
    expect(findings.map(({ offset, count }) => [offset, count])).toEqual([
      [10, 2],
      [210, 1],
    ]);
  });
});
