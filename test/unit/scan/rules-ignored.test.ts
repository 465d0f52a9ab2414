import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createRun } from '../../../src/exec.ts';
import { PROJECT_ROOT } from '../../../src/root.ts';
import { readIgnored } from '../../../src/scan/rules/ignored.ts';
import { loadRules } from '../../../src/scan/rules/load.ts';
import { RuleSet } from '../../../src/scan/rules/ruleset.ts';
import { Random } from './random.ts';

const root = mkdtempSync(join(tmpdir(), 'dotnet-snapshot-ignored-'));
afterAll(() => rmSync(root, { recursive: true }));

const random = new Random(4);
const ruleSet = new RuleSet(loadRules({ rulesDirectory: join(PROJECT_ROOT, 'rules') }));
const run = createRun({ PATH: process.env.PATH, HOME: root });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const token = () => `ghp_${random.text(36)}`;

function write(name: string, text: string): void {
  mkdirSync(join(root, name, '..'), { recursive: true });
  writeFileSync(join(root, name), text);
}

async function ignored(...lines: string[]) {
  write('.gitleaksignore', lines.join('\n'));
  return readIgnored(join(root, '.gitleaksignore'), root, ruleSet, run);
}

test('an entry stands for the value on its line', async () => {
  const [first, second] = [token(), token()];
  write('src/Test.cs', `// a\nvar a = "${first}";\nvar b = "${second}";\n`);
  const { values, warnings } = await ignored('# comment', '', 'src/Test.cs:github-pat:3', 'src\\Test.cs:github-pat:3');
  expect(values).toEqual([{ sha256: sha256(second) }]);
  expect(warnings).toEqual([]);
});

test('of a commit, it stands for the value in the history', async () => {
  const secret = token();
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  git('init', '-q');
  write('old.json', `{\n  "x": "${secret}"\n}\n`);
  git('add', 'old.json');
  git('commit', '-qm', 'one');
  const commit = git('rev-parse', 'HEAD').trim();
  rmSync(join(root, 'old.json'));
  const { values, warnings } = await ignored(`${commit}:old.json:github-pat:2`, 'old.json:github-pat:2');
  expect(values).toEqual([{ sha256: sha256(secret) }]);
  expect(warnings).toEqual([expect.stringMatching(/line 2: the rule "github-pat" matches nothing/)]);
});

test('a rule that is switched off here has its meaning all the same', async () => {
  const secret = random.text(40);
  write('appsettings.json', `{\n"ApiKey": "${secret}"\n}`);
  const { values } = await ignored('appsettings.json:generic-api-key:2');
  expect(values).toContainEqual({ sha256: sha256(secret) });
});

test('entries that mean nothing are told of, without a value', async () => {
  const secret = token();
  write('a.cs', `"${secret}"`);
  const { values, warnings } = await ignored(
    'a.cs:github-pat:2',
    'a.cs:no-such-rule:1',
    'gone.cs:github-pat:1',
    '../a.cs:github-pat:1',
    '/etc/passwd:github-pat:1',
    `${'0'.repeat(40)}:a.cs:github-pat:1`,
    'a.cs',
  );
  expect(values).toEqual([]);
  expect(warnings).toHaveLength(7);
  expect(warnings.at(-1)).toMatch(/line 7: it is neither/);
  expect(warnings.join()).not.toContain(secret.slice(4, 12));
});

test('a file that is not there is refused', async () => {
  await expect(readIgnored(join(root, 'nowhere'), root, ruleSet, run)).rejects.toMatchObject({ code: 'DS1001' });
});
