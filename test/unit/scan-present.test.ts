import { describe, expect, test } from 'vitest';
import { toSnapshotError } from '../../src/errors.ts';
import { silentLog } from '../../src/log.ts';
import type { ScanResult } from '../../src/model/index.ts';
import { findingsToSarif, findingsToText, scanSnapshot } from '../../src/scan/index.ts';
import { RULES } from '../../src/scan/rules.ts';
import { noise, pagemap, planted, present, random, snapshot } from './scan-images.ts';

const result: ScanResult = {
  findings: [
    {
      ruleId: 'known-value',
      description: 'environment DB_PASSWORD',
      encoding: 'utf-16le',
      file: 'pages-1.img',
      offset: 0x1f3a0,
      address: '0x7f1200001000',
      pid: 1000,
      count: 3,
      length: 24,
    },
    {
      ruleId: 'jwt',
      description: 'JSON Web Token',
      encoding: 'utf-8',
      file: 'odd name#1.img',
      offset: 16,
      count: 1,
      length: 136,
    },
  ],
  files: 12,
  bytes: 20_000_000,
  extents: 266,
  rules: RULES.length,
  knownSecrets: 1,
  millis: 120,
};

test('text for people', () => {
  const lines = findingsToText(result).split('\n');
  expect(lines[0]).toBe(
    `2 secrets found (12 files, 20.0 MB, 266 memory areas, ${RULES.length} rules, 1 known value, 0.1 s):`,
  );
  expect(lines[1]).toBe(
    '  pages-1.img+0x1f3a0 (pid 1000, 0x7f1200001000): known secret "environment DB_PASSWORD", UTF-16LE, 24 characters, 3 times',
  );
  expect(lines[2]).toBe('  odd name#1.img+0x10: JSON Web Token (jwt), UTF-8, 136 characters, once');
  expect(lines.filter((line) => line.startsWith('  fix: '))).toHaveLength(2);
});

test('text for a clean snapshot and for very many findings', () => {
  expect(findingsToText({ ...result, findings: [] })).toMatch(/^No secrets found \(12 files/);
  const many = Array.from({ length: 130 }, (_, index) => ({ ...result.findings[1]!, offset: index }));
  expect(findingsToText({ ...result, findings: many })).toContain('  and 30 more\n');
});

test('SARIF 2.1.0', () => {
  const sarif = findingsToSarif(result, '0.1.0') as {
    version: string;
    runs: {
      tool: { driver: { version: string; rules: { id: string; help: { text: string } }[] } };
      results: object[];
    }[];
  };
  const [run] = sarif.runs;
  expect(sarif.version).toBe('2.1.0');
  expect(run?.tool.driver.version).toBe('0.1.0');
  expect(run?.tool.driver.rules.every((rule) => rule.help.text.length > 20)).toBe(true);
  expect(run?.results).toMatchObject([
    {
      ruleId: 'known-value',
      ruleIndex: 0,
      level: 'error',
      occurrenceCount: 3,
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'pages-1.img', uriBaseId: 'SNAPSHOT' },
            region: { byteOffset: 0x1f3a0, byteLength: 48 },
          },
        },
      ],
    },
    { locations: [{ physicalLocation: { artifactLocation: { uri: 'odd%20name%231.img' } } }] },
  ]);
  const rules = run!.tool.driver.rules.map((rule) => rule.id);
  expect(rules[(run!.results[1] as { ruleIndex: number }).ruleIndex]).toBe('jwt');
});

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
      const scanned = await scanSnapshot(snapshot(files), { knownSecrets, log });
      said.push(JSON.stringify(scanned), findingsToText(scanned), JSON.stringify(findingsToSarif(scanned, '1.0.0')));
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
    const { findings } = await scanSnapshot(
      snapshot({ 'pagemap-5.img': pagemap(1, [present(0x1000, 2)]), 'pages-1.img': twice }),
      { knownSecrets: [], log: silentLog },
    );
    expect(findings.map(({ offset, count }) => [offset, count])).toEqual([
      [10, 2],
      [210, 1],
    ]);
  });
});
