import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { Cleanup } from '../../src/cleanup.ts';
import { scan } from '../../src/commands/scan.ts';
import { scanJsonSchema } from '../../src/scan/present/index.ts';
import { Redactor } from '../../src/secrets/redact.ts';
import type { Tools } from '../../src/tools.ts';
import { recordingLog } from '../harness/recording-log.ts';
import { pagemap, present } from './scan/criu.ts';
import { planted, snapshot } from './scan/images.ts';

const [PASSWORD, LICENSE, KEY] = [0, 1, 2].map(() => `k${randomBytes(16).toString('hex')}`) as [string, string, string];
const folder = mkdtempSync(join(tmpdir(), 'scan-command-'));
const images = snapshot({
  'pagemap-5.img': pagemap(1, [present(0x1000, 2)]),
  'pages-1.img': planted(2, [
    { at: 100, text: PASSWORD },
    { at: 1001, text: Buffer.from(LICENSE, 'utf16le') },
  ]),
});
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
/** What a manifest can't do without. */
const MANIFEST = {
  ...{ schemaVersion: 1, id: '0', name: 'app', createdAt: '', capabilities: [], hookSeconds: 1, files: {} },
  app: { command: ['app'], imageId: '', baseImage: '' },
  runtime: { version: '', processors: 1, memoryLimitBytes: 1, serverGc: false },
  process: {
    ...{ pid: 1, uid: 1, gid: 1, identity: '', stdout: '', stderr: '', controlIn: '', controlOut: '' },
  },
  host: { kernel: '', architecture: '', cpuFeatures: [], monotonicSeconds: 1 },
  criu: { version: '' },
};
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function run(words: string[], environment: Record<string, string> = { DB_PASSWORD: PASSWORD }) {
  const log = recordingLog();
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  const failed = async () => ({ code: 1, stdout: '', stderr: '' });
  const cleanup = new Cleanup(log);
  const tools = { environment, log, redactor: new Redactor(), run: failed, cleanup } as unknown as Tools;
  const code = await scan.run([images, ...words], tools).finally(() => cleanup.run());
  const stdout = lines.join('\n');
  expect(stdout + JSON.stringify(log)).not.toContain(PASSWORD);
  expect(stdout + JSON.stringify(log)).not.toContain(LICENSE);
  return { code, stdout };
}

describe('scan', () => {
  test('finds what the environment names, and ends with 4', async () => {
    const { code, stdout } = await run([]);
    expect(stdout).toContain('known secret "environment DB_PASSWORD", 33 characters');
    expect(stdout).not.toContain('LICENSE');
    expect(code).toBe(4);
    expect((await run([], {})).code).toBe(0);
  });

  test('with --mode warn ends with 0', async () => {
    const { code, stdout } = await run(['--mode', 'warn']);
    expect(stdout).toContain('1 secret found');
    expect(code).toBe(0);
  });

  test.each([
    ['lines', `LICENSE=${LICENSE}\n`],
    ['JSON', JSON.stringify({ LICENSE })],
  ])('searches for what a file names, as %s', async (_form, text) => {
    const { stdout } = await run(['--secrets-file', file('secrets', text)], {});
    expect(stdout).toContain('known secret "secret LICENSE", 33 characters');
  });

  test('takes a fake that the manifest lists for no secret', async () => {
    const manifest = join(images, 'manifest.json');
    writeFileSync(manifest, JSON.stringify({ ...MANIFEST, placeholders: [PASSWORD] }));
    const { code, stdout } = await run([]).finally(() => rmSync(manifest));
    expect(stdout).toMatch(/^No secrets found \(.*, 0 known values, /);
    expect(stdout).toContain('note: manifest.json names 1 text(s) that the app was warmed with in place of secrets');
    expect(code).toBe(0);
  });

  test.each([
    ['a part of a secret', [PASSWORD.slice(0, 16), PASSWORD.slice(20, 24)]],
    ['letters', [...'abcdefghijklmnopqrstuvwxyz0123456789'].map((letter) => letter.repeat(4))],
    ['what the user named', [PASSWORD], ['--secrets-file', file('named', `PASSWORD=${PASSWORD}`)]],
  ])('finds it where the manifest lists %s', async (_what, placeholders, words = []) => {
    const manifest = join(images, 'manifest.json');
    writeFileSync(manifest, JSON.stringify({ ...MANIFEST, placeholders }));
    expect((await run(words).finally(() => rmSync(manifest))).code).toBe(4);
  });

  test('writes a form to a file, and the text to standard output', async () => {
    const output = join(folder, 'scan.json');
    const { stdout } = await run(['--format', 'json', '--output', output]);
    expect(stdout).toMatch(/^1 secret found/);
    expect(scanJsonSchema.parse(JSON.parse(readFileSync(output, 'utf8'))).findings).toMatchObject([
      { ruleId: 'known-value' },
    ]);
  });

  test('takes its own JSON as a baseline, under the same key', async () => {
    const output = join(folder, 'baseline.json');
    const key = ['--key-file', file('key', KEY)];
    expect((await run([...key, '--format', 'json', '--output', output])).code).toBe(4);
    const { code, stdout } = await run([...key, '--baseline', output]);
    expect(stdout).toMatch(/^No secrets found[\s\S]*in the baseline/);
    expect(code).toBe(0);
    const keyed = { DB_PASSWORD: PASSWORD, SCAN_TOKEN: KEY };
    expect((await run(['--key-env', 'SCAN_TOKEN', '--baseline', output], keyed)).code).toBe(0);
    await expect(run(['--baseline', output])).rejects.toThrow(/needs a scan-key/);
  });

  test('follows a policy, and a repository’s gitleaks configuration', async () => {
    const policy = 'version: 1\nallow:\n  - { known: environment DB_PASSWORD, reason: a test, expires: 9999-12-31 }\n';
    expect((await run(['--policy', file('policy.yaml', policy)])).code).toBe(0);
    expect((await run(['--config', file('good.toml', '[extend]\nuseDefault = true\n')])).code).toBe(4);
    await expect(run(['--config', file('bad.toml', '[[rules]]\nid = "x"\nregex = "("\n')])).rejects.toMatchObject({
      code: 'DS1001',
    });
  });

  test.each([
    [['--format', 'xml'], /--format is "xml"/],
    [['--mode', 'off'], /--mode is "off"/],
    [['--threads', '0'], /--threads is "0"/],
    [['--key-file', 'a', '--key-env', 'b'], /exclude each other/],
    [['--key-env', 'NONE'], /env:NONE/],
    [['--secrets-file', '/none'], /--secrets-file \/none can’t be read \(ENOENT\)/],
    [['--output', '/none/out'], /--output \/none\/out can’t be written/],
  ])('%j is refused', async (words, message) => {
    await expect(run(words)).rejects.toThrow(message);
  });
});
