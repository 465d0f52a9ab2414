import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { AllowedFinding, Finding, ScanResult } from '../../../src/model/index.ts';
import {
  findingsToAnnotations,
  findingsToJson,
  findingsToSarif,
  findingsToText,
  scanJsonSchema,
} from '../../../src/scan/present/index.ts';

const known: Finding = {
  ruleId: 'known-value',
  description: 'environment DB_PASSWORD',
  encoding: 'utf-16le',
  file: 'pages-1.img',
  offset: 0x1f3a0,
  bytes: 48,
  count: 3,
  length: 24,
  preview: 'Qz',
  hash: '0123456789ab',
  fix: 'Give it a placeholder.',
  mapping: 'managed heap',
  pid: 1000,
  process: 'dotnet',
  address: '0x7f1200001000',
  age: 'live',
};
const encoded: Finding = { ...known, encoding: 'utf-8 > base64', mapping: 'native heap', count: 1 };
delete encoded.age;
const token: Finding = {
  ...{ ruleId: 'jwt', description: 'JSON Web Token', encoding: 'gzip > utf-8', file: 'odd name#1.img', offset: 16 },
  ...{
    bytes: 80,
    count: 1,
    length: 136,
    preview: 'ey',
    hash: 'ba9876543210',
    fix: 'Use a test token.',
    mapping: 'record',
  },
};
const allowed: AllowedFinding = {
  ...token,
  hash: 'ffffffffffff',
  by: 'policy',
  reason: 'a test',
  expires: '2027-01-31',
};

const result: ScanResult = {
  findings: [token, encoded, known],
  allowed: [allowed],
  notes: ['scan-policy: allow[1] (old) expired on 2026-01-01 and no longer counts.'],
  keyId: 'abcdef01',
  files: 12,
  bytes: 20_000_000,
  extents: 266,
  rules: 41,
  knownSecrets: 1,
  canaries: { planted: 9, found: 9 },
  millis: 120,
};
const clean: ScanResult = { ...result, findings: [], allowed: [], notes: [] };
const many = Array.from({ length: 130 }, (_, index) => ({ ...token, hash: String(index).padStart(12, '0') }));

describe('text', () => {
  test('groups the places of a value, the most dangerous first', () => {
    expect(findingsToText(result)).toBe(
      [
        '2 secrets found (12 files, 20.0 MB, 266 memory areas, 41 rules, 1 known value, 9 of 9 canaries, 0.1 s):',
        '  known secret "environment DB_PASSWORD", 24 characters, begins with "Qz", hash 0123456789ab',
        '    managed heap (live) of dotnet (pid 1000), UTF-16LE, 3 times: pages-1.img+0x1f3a0 (0x7f1200001000)',
        '    native heap of dotnet (pid 1000), UTF-8 > base64, once: pages-1.img+0x1f3a0 (0x7f1200001000)',
        '    fix: Give it a placeholder.',
        '  JSON Web Token (jwt), 136 characters, begins with "ey", hash ba9876543210',
        '    a file of the snapshot, gzip > UTF-8, once: odd name#1.img+0x10',
        '    fix: Use a test token.',
        '1 secret found that is allowed:',
        '  JSON Web Token (jwt), hash ffffffffffff: allowed until 2027-01-31: a test',
        'note: scan-policy: allow[1] (old) expired on 2026-01-01 and no longer counts.',
        '',
      ].join('\n'),
    );
  });

  test('of a clean snapshot is one line, and of very many findings not very many', () => {
    expect(findingsToText(clean)).toMatch(/^No secrets found \(12 files.*\)\.\n$/);
    const text = findingsToText({ ...result, findings: many });
    expect(text).toMatch(/^130 secrets found/);
    expect(text).toContain('  and 90 more\n');
  });
});

describe('SARIF', () => {
  const schema = JSON.parse(readFileSync(new URL('../../fixtures/sarif-schema-2.1.0.json', import.meta.url), 'utf8'));
  // Draft 4, of which only the name of this one key is different.
  const { $schema: _, id: __, ...draft7 } = schema;
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(draft7);

  test.each<[string, ScanResult]>([
    ['findings', result],
    ['a clean snapshot', clean],
    ['very many findings', { ...result, findings: many }],
    ['a random key', (({ keyId: ___, ...rest }) => rest)(result)],
  ])('of %s is valid', (_what, scan) => {
    validate(findingsToSarif(scan, '0.1.0'));
    expect(validate.errors).toBeNull();
  });

  test('would be refused by the schema where it is wrong', () => {
    expect(validate({ ...findingsToSarif(result, '1'), version: '2.0.0' })).toBe(false);
  });

  test('names rules, places, fingerprints and suppressions', () => {
    const { runs } = findingsToSarif(result, '0.1.0') as {
      runs: [{ tool: { driver: { rules: { id: string }[] } }; results: Record<string, never>[] }];
    };
    const [{ tool, results }] = runs;
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(['jwt', 'known-value']);
    expect(results).toHaveLength(4);
    expect(results[2]).toMatchObject({
      ruleId: 'known-value',
      ruleIndex: 1,
      level: 'error',
      occurrenceCount: 3,
      partialFingerprints: { 'value/v1': '0123456789ab', 'sighting/v1': expect.stringMatching(/^[0-9a-f]{32}$/) },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'pages-1.img', uriBaseId: 'SNAPSHOT' },
            region: { startLine: 1, byteOffset: 0x1f3a0, byteLength: 48 },
            address: { absoluteAddress: 0x7f1200001000 },
          },
        },
      ],
    });
    expect(results[0]).toMatchObject({
      locations: [{ physicalLocation: { artifactLocation: { uri: 'odd%20name%231.img' } } }],
    });
    expect(results[3]).toMatchObject({ suppressions: [{ kind: 'external', status: 'accepted' }] });
    expect(results.filter((entry) => 'suppressions' in entry)).toHaveLength(1);
  });

  test('has no fingerprint of the value under a random key', () => {
    const { keyId: ___, ...unkeyed } = result;
    expect(JSON.stringify(findingsToSarif(unkeyed, '1'))).not.toContain('value/v1');
  });
});

describe('JSON', () => {
  test('is what its schema says, and loses nothing', () => {
    const json = findingsToJson(result, '0.1.0');
    expect(scanJsonSchema.parse(json)).toEqual(json);
    expect(json).toMatchObject({
      version: 1,
      verdict: 'findings',
      tool: { name: 'dotnet-snapshot', version: '0.1.0' },
    });
    expect(json).toMatchObject(result);
    expect(findingsToJson(clean, '1').verdict).toBe('clean');
    const committed = JSON.parse(readFileSync(new URL('../../../schema/scan.schema.json', import.meta.url), 'utf8'));
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(committed);
    expect(validate(json)).toBe(true);
  });
});

describe('annotations', () => {
  test('are one for each value', () => {
    const [first, second, ...others] = findingsToAnnotations(result);
    expect(first).toEqual({
      title: 'Secret in the snapshot: known secret "environment DB_PASSWORD"',
      message:
        'managed heap (live) of dotnet (pid 1000), UTF-16LE, 3 times, at pages-1.img+0x1f3a0 (0x7f1200001000); 24 characters, begins with "Qz", hash 0123456789ab. It is in 1 more kind of memory or encoding. Give it a placeholder.',
    });
    expect(second?.title).toContain('JSON Web Token (jwt)');
    expect(others).toEqual([]);
  });

  test('are never more than a runner shows', () => {
    const annotations = findingsToAnnotations({ ...result, findings: many });
    expect(annotations).toHaveLength(10);
    expect(annotations.at(-1)?.message).toBe('121 more; the report lists them.');
    expect(findingsToAnnotations(clean)).toEqual([]);
  });
});
