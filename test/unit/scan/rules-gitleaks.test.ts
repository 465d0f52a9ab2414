import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../../src/root.ts';
import { loadRules } from '../../../src/scan/rules/load.ts';
import { RuleSet } from '../../../src/scan/rules/ruleset.ts';
import { LOWER, Random } from './random.ts';

const rulesDirectory = join(PROJECT_ROOT, 'rules');
const folder = mkdtempSync(join(tmpdir(), 'dotnet-snapshot-rules-'));
afterAll(() => rmSync(folder, { recursive: true }));

const random = new Random(2);
const value = (length = 24) => random.text(length, LOWER);

function write(toml: string, name = '.gitleaks.toml'): string {
  const path = join(folder, name);
  writeFileSync(path, toml);
  return path;
}

const load = (toml: string) => loadRules({ rulesDirectory, repositoryConfig: write(toml) });

/** What rules of a repository find, those of others aside: `id:secret`. */
function found(toml: string, text: string, file = 'config.dump'): string[] {
  const hits: string[] = [];
  new RuleSet(load(toml)).search(text, { file }, ({ ruleId, secret }) => hits.push(`${ruleId}:${secret}`));
  return hits.sort();
}

const rule = (more = '') => `[[rules]]\nid = "acme"\ndescription = "Acme token"\nkeywords = ["ACME"]\n${more}\n`;
const ACME = rule(`regex = '''acme-([a-z0-9]+)'''`);

describe('a rule of a repository', () => {
  const secret = value();

  test('finds the first group, by a keyword in any case', () => {
    expect(found(ACME, `x acme-${secret} y`)).toEqual([`acme:${secret}`]);
    expect(found(rule(`regex = '''[Aa][Cc]ME-[a-z0-9]+'''`), `AcME-${secret}`)).toEqual([`acme:AcME-${secret}`]);
    expect(found(rule(`regex = '''x=([a-z0-9]+)'''`), `x=${secret}`)).toEqual([]);
  });

  test('takes the group that secretGroup names, or else the first that is not empty', () => {
    const regex = `regex = '''(acme)?-(x)?([a-z0-9]{24})'''`;
    expect(found(rule(`${regex}\nsecretGroup = 3`), `acme-${secret}`)).toEqual([`acme:${secret}`]);
    expect(found(rule(`regex = '''acme(-no)?-([a-z0-9]+)'''`), `acme-${secret}`)).toEqual([`acme:${secret}`]);
  });

  test('counts only above its entropy', () => {
    const toml = `${ACME}entropy = 2\n`;
    expect(found(toml, `acme-${secret}`)).toEqual([`acme:${secret}`]);
    // Two bits, exactly.
    expect(found(toml, 'acme-abcdabcdabcd')).toEqual([]);
  });

  test('without a keyword sees every text', () => {
    const toml = `[[rules]]\nid = "any"\nregex = '''zz[a-z0-9]{10}'''\n`;
    expect(new RuleSet(load(toml)).hasUnkeyed).toBe(true);
    expect(found(toml, '-- zzabcdefghij --')).toEqual(['any:zzabcdefghij']);
  });

  test('with a path counts in files of that name only', () => {
    const toml = `${ACME}path = '''\\.dump$'''\n`;
    expect(found(toml, `acme-${secret}`)).toHaveLength(1);
    expect(found(toml, `acme-${secret}`, 'pages-1.img')).toEqual([]);
  });

  test('with a path alone finds nothing: a snapshot has no files of that name', () => {
    expect(found(`[[rules]]\nid = "keys"\ndescription = "Key file"\npath = '''\\.key$'''\n`, secret)).toEqual([]);
  });

  test('ends at line feeds that its pattern took with it', () => {
    expect(found(rule(`regex = '''acme-[a-z0-9]+\\n'''`), `acme-${secret}\nmore`)).toEqual([`acme:acme-${secret}`]);
  });

  test('is found once in a text of several pieces, at every place', () => {
    const set = new RuleSet(load(ACME));
    for (const at of [0, 100, 262_140, 262_144, 400_000, 786_420, 786_432]) {
      const text = `${'.'.repeat(at)}acme-${secret}${'.'.repeat(300_000)}`;
      const starts: number[] = [];
      set.search(text, { file: 'a' }, ({ start }) => starts.push(start));
      expect(starts).toEqual([at + 5]);
    }
  });

  test('tells of no more than a thousand matches in a text', () => {
    const text = Array.from({ length: 3_000 }, () => `acme-${value(10)}`).join(' ');
    expect(found(ACME, text)).toHaveLength(1_000);
  });
});

describe('allowlists', () => {
  const secret = value();
  const allow = (body: string, table = 'rules.allowlists') => `${ACME}[[${table}]]\n${body}\n`;

  test.each([
    ['regexes, of the secret', `regexes = ['''^${secret}$''']`],
    ['regexes, of the match', `regexTarget = "match"\nregexes = ['''^acme-''']`],
    ['regexes, of the line', `regexTarget = "line"\nregexes = ['''# test only$''']`],
    ['stopwords, in any case', `stopwords = ["${secret.slice(3, 9).toUpperCase()}"]`],
    ['paths', `paths = ['''\\.dump$''']`],
    ['all conditions', `condition = "AND"\nregexes = ['''.''']\nstopwords = ["${secret.slice(5, 9)}"]`],
    ['a text for a list of one', `stopwords = "${secret.slice(0, 8)}"`],
  ])('of a rule, of all rules, and in the older form: %s', (_, body) => {
    const text = `first\nacme-${secret} # test only\nlast`;
    expect(found(ACME, text)).toHaveLength(1);
    expect(found(allow(body), text)).toEqual([]);
    expect(found(allow(body, 'allowlists'), text)).toEqual([]);
    expect(found(`${ACME}[rules.allowlist]\n${body}\n`, text)).toEqual([]);
    expect(found(`${ACME}[allowlist]\n${body}\n`, text)).toEqual([]);
    expect(found(allow(`targetRules = ["acme"]\n${body}`, 'allowlists'), text)).toEqual([]);
    expect(found(allow(`targetRules = ["jwt"]\n${body}`, 'allowlists'), text)).toHaveLength(1);
  });

  test.each([
    ['regexes of something else', `regexes = ['''^x''']`],
    ['the line before', `regexTarget = "line"\nregexes = ['''first''']`],
    ['one of two conditions', `condition = "AND"\nregexes = ['''.''']\nstopwords = ["nowhere"]`],
    ['a commit', `commits = ["0123456789abcdef"]`],
    ['a commit and more', `condition = "AND"\ncommits = ["0123456789abcdef"]\nregexes = ['''.''']`],
    ['paths of something else', `paths = ['''\\.cs$''']`],
  ])('that do not hold: %s', (_, body) => {
    expect(found(allow(body), `first\nacme-${secret}\nlast`)).toHaveLength(1);
  });

  test('name no memory by a path: an image is no file of a repository', () => {
    expect(found(allow(`paths = ['''.''']`), `acme-${secret}`, 'checkpoint/pages-1.img')).toHaveLength(1);
  });

  test('allow no canary', () => {
    const canary = `dscanary{${random.text(32, '0123456789abcdef')}}`;
    const toml = `[extend]\ndisabledRules = ["canary"]\n[[allowlists]]\nregexes = ['''.''']\npaths = ['''.''']\n`;
    expect(found(toml, canary)).toEqual([`canary:${canary}`]);
  });
});

describe('rules that require others', () => {
  const pair = (within: string) =>
    `${ACME}[[rules.required]]\nid = "name"\n${within}\n[[rules]]\nid = "name"\nregex = '''user-[a-z]+'''\nskipReport = true\n`;

  test('count only with them, which need not be told of', () => {
    const secret = value();
    expect(found(pair(''), `acme-${secret}`)).toEqual([]);
    expect(found(pair(''), `user-bob\n\n\nacme-${secret}`)).toEqual([`acme:${secret}`]);
  });

  test('count only as near as asked for', () => {
    const secret = value();
    expect(found(pair('withinLines = 1'), `user-bob\nacme-${secret}`)).toHaveLength(1);
    expect(found(pair('withinLines = 1'), `user-bob\n\nacme-${secret}`)).toEqual([]);
    expect(found(pair('withinColumns = 12'), `\nuser-bob    acme-${secret}`)).toHaveLength(1);
    expect(found(pair('withinColumns = 12'), `\nuser-bob        acme-${secret}`)).toEqual([]);
  });
});

describe('extending', () => {
  const idsOf = (toml: string) =>
    load(toml)
      .rules.filter((other) => !other.disabled)
      .map(({ id }) => id);

  test('nothing leaves gitleaks’ rules out, and ours stay', () => {
    const ids = idsOf(ACME);
    expect(ids).not.toContain('shopify-access-token');
    expect(ids).toEqual(expect.arrayContaining(['acme', 'jwt', 'connection-string', 'github-token']));
    expect(ids[0]).toBe('acme');
  });

  test('the default adds to it', () => {
    expect(idsOf(`[extend]\nuseDefault = true\n${ACME}`)).toEqual(
      expect.arrayContaining(['acme', 'connection-string', 'shopify-access-token']),
    );
  });

  test('can switch rules off, under the names that gitleaks has for them too', () => {
    const ids = idsOf(
      `[extend]\nuseDefault = true\ndisabledRules = ["jwt", "shopify-access-token", "generic-api-key"]\n`,
    );
    expect(ids).not.toContain('jwt');
    expect(ids).not.toContain('shopify-access-token');
    expect(ids).not.toContain('generic-secret-setting');
    expect(load(`[extend]\ndisabledRules = ["nothing"]\n`).warnings.join()).toMatch(/"nothing", which is no rule/);
  });

  test('merges a rule that both have, as gitleaks does', () => {
    const { rules } = load(
      `[extend]\nuseDefault = true\n[[rules]]\nid = "shopify-access-token"\ndescription = "Ours"\nkeywords = ["s."]\ntags = ["vault"]\n[[rules.allowlists]]\nstopwords = ["dev"]\n`,
    );
    const merged = rules.find(({ id }) => id === 'shopify-access-token')!;
    expect(merged).toMatchObject({ description: 'Ours', origin: 'gitleaks', tags: ['vault'] });
    expect(merged.regex).toContain('shpat_');
    expect(merged.keywords).toEqual(['shpat_', 's.']);
    expect(merged.allowlists.at(-1)?.stopwords).toEqual(['dev']);
  });

  test('a pattern in place of ours is no more looked at twice', () => {
    const toml = `[[rules]]\nid = "jwt"\nregex = '''eyJ[a-z.]+'''\n`;
    expect(load(toml).rules.find(({ id }) => id === 'jwt')).not.toHaveProperty('check');
    expect(found(toml, 'eyJabc.def')).toEqual(['jwt:eyJabc.def']);
  });

  test('what is said of generic-api-key holds for the rule in its place, and does not switch it on', () => {
    const secret = random.text(40);
    const text = `{"ApiKey": "${secret}"}`;
    const toml = `[extend]\nuseDefault = true\n[[rules]]\nid = "generic-api-key"\n[[rules.allowlists]]\nregexes = ['''^${secret}$''']\n`;
    expect(found(`[extend]\nuseDefault = true\n`, text)).toEqual([`generic-secret-setting:${secret}`]);
    expect(found(toml, text)).toEqual([]);
    expect(load(toml).rules.find(({ id }) => id === 'generic-api-key')?.disabled).toBe(true);
  });

  test('follows a path from the folder of the file', () => {
    write(`[extend]\nuseDefault = true\n${rule(`regex = '''base-[a-z0-9]+'''`)}`, 'base.toml');
    const toml = `[extend]\npath = "base.toml"\n[[rules]]\nid = "acme"\ndescription = "Changed"\n`;
    expect(load(toml).rules.find(({ id }) => id === 'acme')).toMatchObject({
      description: 'Changed',
      regex: 'base-[a-z0-9]+',
    });
    expect(idsOf(toml)).toContain('shopify-access-token');
  });

  test('a path that leads back ends', () => {
    expect(() => load(`[extend]\npath = ".gitleaks.toml"\n`)).toThrow(/extends more than 2 files/);
  });

  test('reads keys in any case, and tells of those without a meaning', () => {
    const toml = `title = "x"\n[Extend]\nusedefault = true\n${rule(`REGEX = '''acme-([a-z]+)'''\nentropie = 3`)}`;
    const { warnings, rules } = load(toml);
    expect(rules.map(({ id }) => id)).toEqual(expect.arrayContaining(['acme', 'shopify-access-token']));
    expect(warnings.join()).toMatch(/the rule "acme" has no meaning for the key "entropie"/);
  });

  test('tells of rules that only name files', () => {
    const toml = rule(`path = '''\\.pfx$'''`);
    expect(load(toml).warnings.join()).toMatch(
      /toml: the rule "acme" has only a path, so it finds nothing in a snapshot/,
    );
    expect(load(`${toml}\n[extend]\nuseDefault = true\n`).warnings).toHaveLength(1);
  });

  test('tells where a newer gitleaks is asked for', () => {
    expect(load(`minVersion = "v99.1.0"\n`).warnings.join()).toMatch(/asks for gitleaks 99\.1\.0/);
    expect(load(`minVersion = "v8.25.0"\n`).warnings).toEqual([]);
  });
});

describe('a file that can’t be followed is refused with its place', () => {
  test.each([
    ['no TOML', 'a = \n', /\.gitleaks\.toml, line 1: /],
    ['no id', `[[rules]]\nregex = '''a'''\n`, /line 1: a rule has no id/],
    ['the same id twice', `${ACME}${ACME}`, /line 6, rule "acme": another rule has the same id/],
    ['the id of the canary rule', `[[rules]]\nid = "canary"\nregex = "a"\n`, /rule "canary": .*built-in/],
    ['neither regex nor path', rule(), /line 1, rule "acme": it has neither regex nor path/],
    ['a pattern that is none', rule(`regex = '''a(b'''`), /line 1, rule "acme": regex .*missing closing \)/],
    [
      'a pattern that RE2 does not have',
      rule(`regex = '''a(?=b)'''`),
      /rule "acme": regex has a pattern that is no RE2/,
    ],
    ['a group that does not exist', `${ACME}secretGroup = 2\n`, /secretGroup is 2, but regex has 1 groups/],
    ['a wrong type', rule('regex = "a"\nentropy = "high"'), /rule "acme": entropy must be a number/],
    ['a list of numbers', rule('regex = "a"\ntags = [1]'), /rule "acme": tags must be a list of texts/],
    ['an empty allowlist', `${ACME}[[rules.allowlists]]\ndescription = "x"\n`, /needs at least one of/],
    ['an empty stopword', `${ACME}[[rules.allowlists]]\nstopwords = [""]\n`, /stopword is empty/],
    ['an unknown condition', `${ACME}[[rules.allowlists]]\nstopwords = ["a"]\ncondition = "xor"\n`, /condition/],
    ['an unknown target', `${ACME}[[rules.allowlists]]\nstopwords = ["a"]\nregexTarget = "file"\n`, /regexTarget/],
    ['both forms of allowlist', `[allowlist]\nstopwords = ["a"]\n[[allowlists]]\nstopwords = ["a"]\n`, /has both/],
    ['an unknown target rule', `[[allowlists]]\ntargetRules = ["x"]\nstopwords = ["a"]\n`, /targets the rule "x"/],
    ['an unknown required rule', `${ACME}[[rules.required]]\nid = "x"\n`, /requires the rule "x"/],
    ['a URL', `[extend]\nurl = "https://example.org/rules.toml"\n`, /extend\.url is not supported/],
    ['path and default', `[extend]\npath = "a"\nuseDefault = true\n`, /both path and useDefault/],
    ['a file that is not there', `[extend]\npath = "nowhere.toml"\n`, /nowhere\.toml can't be read/],
  ])('%s', (_, toml, message) => {
    expect(() => load(toml)).toThrow(
      expect.objectContaining({ code: 'DS1001', message: expect.stringMatching(message) }),
    );
  });
});

test('a pattern made to run for ever is matched in time', () => {
  const toml = `[[rules]]\nid = "slow"\nregex = '''(?:a+)+b|(?:a|a)*c|(?:[a-z]+\\s?)*\\d$'''\n`;
  const set = new RuleSet(load(toml));
  const started = performance.now();
  set.search('a'.repeat(200_000), { file: 'a' }, () => {});
  expect(performance.now() - started).toBeLessThan(10_000);
});
