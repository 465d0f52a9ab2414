import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Finding } from '../../src/model/index.ts';
import { ROOT } from './machine.ts';

/** What a program tells of a dump. */
export interface Told {
  /** Matches that it counts. */
  matches: number;
  /** What it prints of them. Programs that print no values give places instead. */
  output: string;
  findings?: Finding[];
  /** Where a program measures part of its work itself; the whole otherwise. In milliseconds. */
  millis?: number;
}

/** A program that looks for secrets. */
export interface Scanner {
  title: string;
  /** Searches all files of a folder. */
  search(dump: string): Promise<Told>;
  /** It finds nothing by design; only its speed is of interest. */
  speedOnly?: true;
}

/** Scanners on this machine, and those that are not, with the reason. */
export interface Scanners {
  present: Scanner[];
  missing: string[];
}

/** Ten patterns as somebody would write them who knows what to look for, each with the value in it. */
const PATTERNS = [
  '-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\\s]{60,}',
  'eyJ[\\w-]{10,}\\.[\\w-]{4,}\\.[\\w-]{16,}',
  'gh[oprsu]_[A-Za-z0-9]{36}',
  'A(?:KI|SI)A[A-Z2-7]{16}',
  '(?i:secret_?access_?key|accountkey|sharedaccesskey|api-?key)["\']?\\s?[=:]\\s?["\']?[A-Za-z0-9+/]{32,}={0,2}',
  '(?i:password|pwd)\\s?=\\s?[^;,\\s]{8,}',
  '[a-z]://[^\\s:@/]+:[^\\s:@/]{8,}@\\w',
  'sig=[A-Za-z0-9%+/]{38,}',
  'CfDJ8[\\w-]{80,}',
  '(?i:basic|bearer) [\\w+/=.~-]{20,}',
] as const;

/**
 * Characters of a match that count. Its rule for private keys runs from the first key to the last in a file: what lies
 * between has not been found.
 */
const LONGEST_MATCH = 4096;

const node = process.execPath;
const cli = join(ROOT, 'dist', 'cli.cjs');

/** Only what programs need: this scan takes secrets that it finds in its environment for known ones. */
const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };

function run(argv: readonly string[], { codes = [0] }: { codes?: number[] } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = argv;
    const options = { maxBuffer: 2 ** 30, encoding: 'latin1' as const, env: environment };
    execFile(program!, args, options, (error, stdout, stderr) => {
      if (error === null || codes.includes(Number(error.code))) resolve(stdout);
      else reject(new Error(`${argv.join(' ')}: ${stderr || error.message}`));
    });
  });
}

async function ours(dump: string, flags: string[]): Promise<Told> {
  const output = await run([node, cli, 'scan', dump, '--format', 'json', ...flags], { codes: [0, 4] });
  const { findings } = JSON.parse(Buffer.from(output, 'latin1').toString()) as { findings: Finding[] };
  return { matches: findings.length, output: '', findings };
}

async function firstPass(dump: string): Promise<Told> {
  const { millis } = JSON.parse(await run([node, join(import.meta.dirname, 'first-pass.ts'), dump]));
  return { matches: 0, output: '', millis };
}

/** Calls `search` with a file that holds all text of a dump, as `strings` finds it in 8 and in 16 bits. */
async function withStrings<T>(dump: string, search: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-strings-'));
  try {
    const file = join(folder, 'strings.txt');
    const to = await open(file, 'w');
    for (const name of await readdir(dump))
      for (const width of ['s', 'l'])
        await to.write(
          Buffer.from(await run(['strings', '--all', '--bytes=8', `--encoding=${width}`, join(dump, name)]), 'latin1'),
        );
    await to.close();
    return await search(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function gitleaks(source: string): Promise<Told> {
  const folder = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-gitleaks-'));
  try {
    const report = join(folder, 'report.json');
    const flags = ['--no-git', '--no-banner', '--exit-code', '0', '--report-format', 'json', '--report-path', report];
    await run(['gitleaks', 'detect', '--source', source, ...flags]);
    const found = JSON.parse(await readFile(report, 'utf8')) as { Match: string; Secret: string }[];
    const shown = found.flatMap(({ Match, Secret }) => [Match, Secret].map((text) => text.slice(0, LONGEST_MATCH)));
    return { matches: found.length, output: shown.join('\n') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function secretlint(files: string[]): Promise<Told> {
  const program = join(ROOT, 'node_modules', '.bin', 'secretlint');
  const config = JSON.stringify({ rules: [{ id: '@secretlint/secretlint-rule-preset-recommend' }] });
  const flags = ['--no-glob', '--no-gitignore', '--no-maskSecrets', '--format', 'json', '--secretlintrcJSON', config];
  const output = await run([program, ...flags, ...files], { codes: [0, 1] });
  const results = JSON.parse(output) as {
    filePath: string;
    messages: { message: string; range: [number, number] }[];
  }[];
  const told: string[] = [];
  for (const { filePath, messages } of results) {
    if (messages.length === 0) continue;
    const text = await readFile(filePath, 'utf8');
    for (const { message, range } of messages) told.push(message, text.slice(...range));
  }
  return { matches: results.reduce((sum, { messages }) => sum + messages.length, 0), output: told.join('\n') };
}

/** With an encoding ripgrep decodes what it reads, from the first byte of each file on. */
async function ripgrep(program: string, dump: string, flags: string[]): Promise<Told> {
  const patterns = PATTERNS.flatMap((pattern) => ['--regexp', pattern]);
  const all = ['--text', '--multiline', '--no-config', '--no-ignore', '--hidden', '--json'];
  const output = await run([program, ...all, ...flags, ...patterns, dump], { codes: [0, 1] });
  const lines = output.split('\n').filter((line) => line.startsWith('{"type":"match"'));
  const matches = lines.flatMap((line) => {
    const { data } = JSON.parse(line) as { data: { submatches: { match: { text?: string; bytes?: string } }[] } };
    return data.submatches.map(({ match: { text, bytes } }) => text ?? Buffer.from(bytes ?? '', 'base64').toString());
  });
  return { matches: matches.length, output: matches.join('\n') };
}

async function trufflehog(dump: string): Promise<Told> {
  const output = await run(['trufflehog', 'filesystem', dump, '--json', '--no-verification', '--no-update'], {
    codes: [0, 183],
  });
  const found = output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { Raw?: string; RawV2?: string });
  const matches = found.filter(({ Raw }) => Raw !== undefined);
  return { matches: matches.length, output: matches.map(({ Raw, RawV2 }) => `${Raw}\n${RawV2 ?? ''}`).join('\n') };
}

/** Every scanner to compare, as far as it is installed. */
export async function scanners(): Promise<Scanners> {
  const present: Scanner[] = [
    { title: 'dotnet-snapshot scan', search: (dump) => ours(dump, []) },
    { title: 'dotnet-snapshot scan, one thread', search: (dump) => ours(dump, ['--threads', '1']) },
    { title: 'its first pass alone, one thread', search: firstPass, speedOnly: true },
  ];
  const missing: string[] = [];
  const add = (available: boolean, title: string, more: Scanner[]) =>
    available ? present.push(...more) : missing.push(title);
  const strings = isOnPath('strings');
  if (!strings) missing.push('strings (binutils)');

  const ripgrepPath = await import('@vscode/ripgrep').then(
    ({ rgPath }) => rgPath,
    () => undefined,
  );
  const rg = ripgrepPath ?? (isOnPath('rg') ? 'rg' : undefined);
  add(rg !== undefined, 'ripgrep', [
    { title: `ripgrep, ${PATTERNS.length} patterns`, search: (dump) => ripgrep(rg!, dump, []) },
    { title: 'the same with --encoding utf-16le', search: (dump) => ripgrep(rg!, dump, ['--encoding', 'utf-16le']) },
  ]);
  const hasGitleaks = isOnPath('gitleaks');
  add(hasGitleaks, 'gitleaks', [{ title: 'gitleaks', search: gitleaks }]);
  if (hasGitleaks && strings)
    present.push({ title: 'strings, then gitleaks', search: (dump) => withStrings(dump, gitleaks) });
  const hasSecretlint = existsSync(join(ROOT, 'node_modules', '.bin', 'secretlint'));
  add(hasSecretlint, 'secretlint', [{ title: 'secretlint', search: async (dump) => secretlint(await filesIn(dump)) }]);
  if (hasSecretlint && strings)
    present.push({
      title: 'strings, then secretlint',
      search: (dump) => withStrings(dump, (file) => secretlint([file])),
    });
  add(isOnPath('trufflehog'), 'trufflehog', [{ title: 'trufflehog', search: trufflehog }]);
  return { present, missing };
}

async function filesIn(dump: string): Promise<string[]> {
  return (await readdir(dump)).map((name) => join(dump, name));
}

function isOnPath(program: string): boolean {
  return environment.PATH.split(delimiter).some((folder) => existsSync(join(folder, program)));
}
