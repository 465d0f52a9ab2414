import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Finding } from '../../../src/model/index.ts';
import type { Hit } from '../../../src/scan/engine/hit.ts';
import {
  type Allowance,
  type AtBuild,
  findingsOf,
  hashOf,
  judge,
  readAllowances,
  readBaseline,
  scanKey,
  withAges,
} from '../../../src/scan/policy/index.ts';
import { policyJsonSchema } from '../../../src/scan/policy/schema.ts';
import { findingsToJson } from '../../../src/scan/present/index.ts';

/** Letters and digits, another text each time. */
const random = (length: number) => `k7${randomBytes(length).toString('hex')}`.slice(0, length);

const KEY_TEXT = random(32);
const key = scanKey(KEY_TEXT);
const folder = mkdtempSync(join(tmpdir(), 'policy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hit = (parts: Partial<Hit> = {}): Hit => ({
  ...{ ruleId: 'jwt', description: 'JSON Web Token', encoding: 'utf-8', file: 'pages-1.img', offset: 5000 },
  ...{
    bytes: 24,
    length: 24,
    start: 'ey',
    sha256: sha256('a'),
    count: 1,
    places: [{ file: 'pages-1.img', offset: 5000 }],
  },
  ...parts,
});
const context = {
  key,
  ruleFix: (ruleId: string) => `mend ${ruleId}`,
  placeOf: (file: string, offset: number) =>
    file.startsWith('pages')
      ? {
          mapping: offset < 10_000 ? ('managed heap' as const) : ('stack' as const),
          ...{ pid: 7, process: 'dotnet\n::x', address: BigInt(0x7f0000000000 + offset) },
        }
      : { mapping: 'record' as const },
};
const found = (...hits: Hit[]) => findingsOf(hits, context);

describe('findings', () => {
  test('say where, and hold of the value two characters and a keyed hash', () => {
    expect(found(hit())).toEqual([
      {
        ...{ ruleId: 'jwt', description: 'JSON Web Token', encoding: 'utf-8', file: 'pages-1.img', offset: 5000 },
        ...{ bytes: 24, length: 24, count: 1, preview: 'ey', hash: hashOf(sha256('a'), key), fix: 'mend jwt' },
        ...{ mapping: 'managed heap', pid: 7, process: 'dotnet ::x', address: '0x7f0000001388' },
      },
    ]);
  });

  test('are one for each mapping', () => {
    const places = [100, 200, 20_000].map((offset) => ({ file: 'pages-1.img', offset }));
    const findings = found(hit({ count: 4, places: [...places, { file: 'core-1.img', offset: 1 }] }));
    expect(findings.map(({ mapping, count, offset }) => [mapping, count, offset])).toEqual([
      ['managed heap', 2, 100],
      ['stack', 1, 20_000],
      ['record', 1, 1],
    ]);
  });

  test('count sightings whose places were not kept, and hits without any', () => {
    expect(found(hit({ count: 50 }))).toMatchObject([{ count: 50, unplaced: 49 }]);
    expect(found(hit({ count: 2, places: [] }))).toMatchObject([{ count: 2, unplaced: 1, offset: 5000 }]);
  });

  test('have the same hash under the same key only', () => {
    expect(hashOf(sha256('a'), scanKey(KEY_TEXT))).toBe(hashOf(sha256('a'), key));
    expect(hashOf(sha256('a'), scanKey())).not.toBe(hashOf(sha256('a'), scanKey()));
    expect(scanKey(KEY_TEXT).id).toBe(key.id);
    expect(scanKey(random(33)).id).not.toBe(key.id);
    expect(scanKey()).not.toHaveProperty('id');
    expect(() => scanKey('short')).toThrow('The scan-key has 5 characters.');
  });

  test.each([
    ['known-value', 'environment DB_PASSWORD', /secrets-at-build: placeholder/],
    ['known-value', 'traffic "login" authorization', /test credential/],
    ['known-value', 'answer to "login" cookie s', /gave it out/],
    ['known-value', 'appsettings.json Jwt:Key', /published file/],
    ['known-value', 'user secret Jwt:Key', /for development/],
    ['jwt', 'environment X', /^mend jwt$/],
  ])('of %s %s are mended by where it comes from', (ruleId, description, fix) => {
    expect(found(hit({ ruleId, description }))[0]?.fix).toMatch(fix);
  });

  const start = 'ASPNETCORE_Kestrel__Certificates__Default__Password';
  test.each<[string, AtBuild['mode'], RegExp]>([
    ['environment DB_PASSWORD', 'real', /secrets-at-build: placeholder/],
    ['environment DB_PASSWORD', 'scrub', /scrub` does not reach this copy/],
    ['environment DB_PASSWORD (Password)', 'placeholder', /warmed with a placeholder in its place/],
    ['environment IMAGE_TOKEN', 'scrub', /reaches only secrets among `env`/],
    ['configuration Db:Password', 'placeholder', /reaches only secrets among `env`/],
    [`environment ${start}`, 'scrub', /under the name Kestrel__Certificates__Default__Password, without the prefix/],
    [`environment ${start}, environment DB_PASSWORD`, 'scrub', /under the name Kestrel__Cert/],
    ['environment DB_PASSWORD, environment OTHER', 'scrub', /does not reach this copy/],
    [`environment ${start}`, 'real', /under the name Kestrel__Certificates__Default__Password, without the prefix/],
  ])('never advise what is done already: %s, %s', (description, mode, fix) => {
    const atBuild = { mode, given: ['DB_PASSWORD', start] };
    const [finding] = findingsOf([hit({ ruleId: 'known-value', description })], { ...context, atBuild });
    expect(finding?.fix).toMatch(fix);
    if (mode !== 'real')
      expect(finding?.fix).not.toContain(`secrets-at-build: ${mode === 'scrub' ? 'placeholder' : 'scrub'}`);
  });

  test('of one value are mended in one way, whichever rules have found it', () => {
    const known = { ruleId: 'known-value', description: 'answer to "login" cookie s' };
    const fixes = found(hit(known), hit()).map(({ fix }) => fix);
    expect(fixes[0]).toMatch(/gave it out/);
    expect(fixes[1]).toBe(fixes[0]);
  });

  test('are mended by their age too', () => {
    const findings = found(hit(), hit({ sha256: sha256('b') }));
    const aged = withAges(findings, ['garbage', undefined], context);
    expect(aged[0]).toMatchObject({ age: 'garbage', fix: expect.stringMatching(/^Nothing refers to it/) });
    expect(aged[1]).toEqual(findings[1]);
  });
});

describe('a judgement', () => {
  const allow = (parts: Partial<Allowance>): Allowance => ({ reason: 'a test key', expires: '2026-12-31', ...parts });
  const today = '2026-12-31';
  const judged = (findings: Finding[], ...allowances: Allowance[]) =>
    judge(findings, { allow: allowances }, { today, key });

  test.each<[string, Partial<Allowance>, boolean]>([
    ['its rule', { rule: 'jwt' }, true],
    ['its hash', { hash: hashOf(sha256('a'), key) }, true],
    ['its mapping', { mapping: 'managed heap' }, true],
    ['all of them', { rule: 'jwt', hash: hashOf(sha256('a'), key), mapping: 'managed heap' }, true],
    ['another rule', { rule: 'pem' }, false],
    ['its rule in another mapping', { rule: 'jwt', mapping: 'stack' }, false],
    ['a known value of the same name', { known: 'JSON Web Token' }, false],
  ])('allows by %s', (_what, parts, allowed) => {
    const { findings, allowed: those, notes } = judged(found(hit()), allow(parts));
    expect([findings.length, those.length]).toEqual(allowed ? [0, 1] : [1, 0]);
    if (allowed) expect(those[0]).toMatchObject({ by: 'policy', reason: 'a test key', expires: '2026-12-31' });
    expect(notes).toHaveLength(allowed ? 0 : 1);
  });

  test('allows a known value by any of its names', () => {
    const known = found(hit({ ruleId: 'known-value', description: 'environment A, secret B' }));
    for (const name of ['environment A', 'secret B', 'environment A, secret B']) {
      expect(judged(known, allow({ known: name })).findings).toEqual([]);
    }
    expect(judged(known, allow({ known: 'environment' })).findings).toHaveLength(1);
  });

  test('allows nothing by a mapping where not all places are known', () => {
    const findings = found(hit({ count: 2000 }));
    expect(judged(findings, allow({ mapping: 'managed heap' })).findings).toHaveLength(1);
    expect(judged(findings, allow({ rule: 'jwt' })).findings).toHaveLength(0);
  });

  test('lets an allowance hold to the end of its last day, and tells of those that hold no more or allow nothing', () => {
    const findings = found(hit());
    expect(judged(findings, allow({ rule: 'jwt', expires: today })).findings).toEqual([]);
    const { findings: left, notes } = judged(
      findings,
      allow({ rule: 'jwt', expires: '2026-12-30' }),
      allow({ rule: 'pem', reason: 'gone' }),
    );
    expect(left).toHaveLength(1);
    expect(notes).toEqual([
      'scan-policy: allow[0] (a test key) expired on 2026-12-30 and no longer counts.',
      'scan-policy: allow[1] (gone) allows nothing that was found; remove it.',
    ]);
  });

  test('allows what an entry of .gitleaksignore stands for, but no value that the build knows', () => {
    const ignored = [{ sha256: sha256('a') }];
    const findings = found(hit(), hit({ ruleId: 'known-value' }), hit({ sha256: sha256('b') }));
    const result = judge(findings, { allow: [], ignored }, { today, key });
    expect(result.allowed).toMatchObject([{ ruleId: 'jwt', by: 'gitleaksignore' }]);
    expect(result.findings).toHaveLength(2);
  });

  test('allows what the baseline has, in the same mapping only, and tells what of it is gone', () => {
    const baseline = { findings: found(hit(), hit({ sha256: sha256('gone') })) };
    const places = [{ file: 'core-1.img', offset: 0 }];
    const result = judge(
      found(hit({ encoding: 'utf-16le' }), hit({ places })),
      { allow: [], baseline },
      { today, key },
    );
    expect(result.allowed).toMatchObject([{ by: 'baseline', mapping: 'managed heap' }]);
    expect(result.findings).toMatchObject([{ mapping: 'record' }]);
    expect(result.notes).toEqual(['scan-baseline: 1 of its 2 findings are gone; write it anew.']);
  });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('a policy file', () => {
  const good = `version: 1
allow:
  - rule: jwt
    mapping: managed heap
    reason: signs nothing outside of the build
    expires: 2027-01-31
  - { known: environment DB_PASSWORD, hash: "0123456789ab", reason: local database, expires: "2027-01-31" }
`;

  test('is read', async () => {
    expect(await readAllowances(file('good.yaml', good), true)).toEqual(parse(good).allow);
    expect(new Ajv2020({ strict: false, validateFormats: false }).validate(policyJsonSchema(), parse(good))).toBe(true);
  });

  test('with hashes needs a key', async () => {
    await expect(readAllowances(file('good.yaml', good), false)).rejects.toThrow(/allow\[1\] names a hash/);
  });

  const entry = (text: string) => `version: 1\nallow:\n  - ${text}\n`;
  test.each([
    ['version: 2\nallow: []', /:1:10: version is 2; expected 1/],
    ['version: 1', /allow is missing; expected a list/],
    [entry('{ rule: jwt, expires: 2027-01-31 }'), /allow\[0\]\.reason is missing; expected text/],
    [entry('{ rule: jwt, reason: x }'), /allow\[0\]\.expires is missing; expected a date/],
    [
      entry('{ rule: jwt, reason: x, expires: 31.1.2027 }'),
      /allow\[0\]\.expires is "31.1.2027"; expected a date such as/,
    ],
    [entry('{ rule: jwt, reason: x, expires: 2027-02-30 }'), /expected a date/],
    [
      entry('{ reason: x, expires: 2027-01-31 }'),
      /:3:5: allow\[0\] is a map; expected at least one of rule, hash, mapping/,
    ],
    [
      entry('{ mapping: heap, reason: x, expires: 2027-01-31 }'),
      /allow\[0\]\.mapping is "heap"; expected one of managed heap/,
    ],
    [entry('{ hash: 12, reason: x, expires: 2027-01-31 }'), /allow\[0\]\.hash is 12; expected a hash/],
    [
      entry('{ ruel: jwt, rule: x, reason: x, expires: 2027-01-31 }'),
      /allow\[0\]\.ruel is not known; did you mean "rule"\?/,
    ],
    [': :', /not valid YAML/],
    ['', /the file is null|is missing/],
  ])('%j is refused with its place', async (text, message) => {
    const refusal = await readAllowances(file('bad.yaml', text), true).catch((error) => error);
    expect(refusal.code).toBe('DS1001');
    expect(`${refusal.message}\n${refusal.detail ?? ''}`).toMatch(message);
  });

  test('must be there', async () => {
    await expect(readAllowances(join(folder, 'none.yaml'), true)).rejects.toThrow(
      /scan-policy .*there is no such file/,
    );
    await expect(readAllowances(folder, true)).rejects.toThrow(/it is no file/);
  });
});

describe('a baseline', () => {
  const result = (findings: Finding[], keyId?: string) => ({
    ...judge(findings, { allow: [] }, { today: '2026-11-21', key }),
    ...(keyId !== undefined && { keyId }),
    ...{ files: 1, bytes: 1, extents: 1, rules: 1, knownSecrets: 0, canaries: { planted: 9, found: 9 }, millis: 1 },
  });
  const write = (name: string, value: unknown) => file(name, JSON.stringify(value));

  test('is the JSON of an earlier scan, with what its own baseline allowed', async () => {
    const [first, second, third] = found(hit(), hit({ sha256: sha256('b') }), hit({ sha256: sha256('c') }));
    const earlier = findingsToJson(
      {
        ...result([first!], key.id),
        allowed: [
          { ...second!, by: 'baseline' },
          { ...third!, by: 'policy', reason: 'x', expires: '2027-01-01' },
        ],
      },
      '1.0.0',
    );
    const { findings } = await readBaseline(write('base.json', earlier), key);
    expect(findings.map(({ hash }) => hash)).toEqual([first!.hash, second!.hash]);
  });

  test.each<[string, unknown, ReturnType<typeof scanKey>, RegExp]>([
    ['no key', result([], 'x'), scanKey(), /needs a scan-key/],
    ['a random key', findingsToJson(result([]), '1'), key, /was written without a scan-key/],
    ['another key', findingsToJson(result([], 'other'), '1'), key, /was written with another scan-key/],
    ['another format', { runs: [] }, key, /is not the JSON of a scan/],
  ])('with %s is refused', async (_what, value, givenKey, message) => {
    await expect(readBaseline(write('bad.json', value), givenKey)).rejects.toThrow(message);
  });
});
