import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { JOB_BYTES } from '../../../src/scan/engine/jobs.ts';
import { pagemap, present } from './criu.ts';
import { elf } from './elf.ts';
import { ENCODINGS, type Encoding } from './encodings.ts';
import { scan } from './facade.ts';
import { KINDS } from './kinds.ts';
import { PAGE, PLACEMENTS, pagesAround } from './placements.ts';
import { Random } from './random.ts';
import { type Cell, cells, compare, knownSecretsOf, nameOf, plantAndScan } from './recall.ts';

// Another seed is another set of secrets. bench/scan.ts goes through many.
const SEED = 20_261_121;

const folder = mkdtempSync(join(tmpdir(), 'scan-recall-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the matrix is as large as was promised', () => {
  expect(KINDS.length).toBeGreaterThanOrEqual(12);
  expect(ENCODINGS.length).toBeGreaterThanOrEqual(9);
  expect(PLACEMENTS.length).toBeGreaterThanOrEqual(6);
  for (const names of [KINDS, ENCODINGS, PLACEMENTS].map((all) => all.map(({ name }) => name)))
    expect(new Set(names).size).toBe(names.length);
  expect(cells(new Random(SEED)).length * PLACEMENTS.length).toBeGreaterThan(9000);
});

describe.each(PLACEMENTS)('$name', (placement) => {
  test('every kind is found in every encoding, and nothing else is', { timeout: 120_000 }, async () => {
    const random = new Random(SEED + PLACEMENTS.indexOf(placement));
    const { missed, stray, findingsOf } = await plantAndScan(cells(random), placement, random, scan);
    expect(missed.map(nameOf)).toEqual([]);
    expect(stray).toEqual([]);
    const twice = [...findingsOf].filter(([, findings]) => findings.some(({ count }) => count !== 1));
    expect(twice.map(([cell]) => nameOf(cell))).toEqual([]);
  });
});

test('findings name the encoding', { timeout: 60_000 }, async () => {
  const random = new Random(SEED);
  const kinds = KINDS.filter(({ name }) => ['known password', 'SQL Server connection string'].includes(name));
  const { findingsOf } = await plantAndScan(cells(random, kinds), PLACEMENTS[0]!, random, scan);
  const wrong = [...findingsOf]
    .filter(([{ encoding }, findings]) => !findings.some((finding) => names(finding.encoding, encoding)))
    .map(([cell, findings]) => `${nameOf(cell)}: ${findings.map(({ encoding }) => encoding)}`);
  expect(wrong).toEqual([]);
});

/**
 * Whether a finding names an encoding rightly. Steps that have left the value as it is need not be named: JSON has
 * nothing to escape in most values, and a base64url without its two own characters is base64.
 */
function names(told: string, { chain }: Encoding): boolean {
  const stepsOf = (text: string) => text.replaceAll('base64url', 'base64').split(' > ');
  const [steps, all] = [stepsOf(told), stepsOf(chain)];
  const mayChangeNothing = (step: string | undefined) => step === 'json' || step === 'url';
  let at = 0;
  for (const step of all) {
    if (steps[at] === step) at++;
    else if (!mayChangeNothing(step) || (all.length === 2 && step === 'url')) return false;
  }
  return at === steps.length;
}

describe('in other formats than a folder', { timeout: 120_000 }, () => {
  const planted = cells(new Random(SEED));
  const stored = planted.map((cell) => cell.stored);
  const odd = PLACEMENTS.find(({ name }) => name === 'at an odd address')!;

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['an archive', (bytes) => bytes],
    ['an archive in gzip', gzipSync],
    ['an archive in zstd', zstdCompressSync],
  ])('%s', async (name, compress) => {
    const place = mkdtempSync(join(folder, 'archive-'));
    mkdirSync(join(place, 'checkpoint'));
    const spots = odd.write(join(place, 'checkpoint'), stored, new Random(SEED));
    const archived = execFileSync('tar', ['--create', '--directory', place, 'checkpoint'], { maxBuffer: 2 ** 28 });
    const file = join(place, name);
    writeFileSync(file, compress(archived));
    const { findings } = await scan(file, knownSecretsOf(planted));
    const inArchive = spots.map((spot) => ({ ...spot, file: `checkpoint/${spot.file}` }));
    const { missed, stray } = compare(planted, inArchive, findings);
    expect({ missed: missed.map(nameOf), stray }).toEqual({ missed: [], stray: [] });
  });

  test('a core dump', async () => {
    const random = new Random(SEED);
    const areas = stored.map((item, index) => ({
      address: 0x7f0000000000n + BigInt(index * 0x100000),
      bytes: pagesAround(random, item, 1027),
    }));
    const bytes = elf(areas);
    let offset = bytes.length - areas.reduce((sum, area) => sum + area.bytes.length, 0);
    const spots = areas.map((area) => {
      const spot = { file: 'core.17', offset: offset + 1027 };
      offset += area.bytes.length;
      return spot;
    });
    writeFileSync(join(folder, 'core.17'), bytes);
    const { findings } = await scan(join(folder, 'core.17'), knownSecretsOf(planted));
    const { missed, stray } = compare(planted, spots, findings);
    expect({ missed: missed.map(nameOf), stray }).toEqual({ missed: [], stray: [] });
  });
});

describe('something large with secrets deep inside', { timeout: 60_000 }, () => {
  const kinds = KINDS.filter(({ name }) => ['JWT', 'Npgsql connection string', 'known password'].includes(name));
  const names = ['as it is', 'UTF-16LE', 'base64', 'base64url', 'hex', 'URL', 'JSON', 'gzip', 'br by its header'];
  const encodings = ENCODINGS.filter(({ name }) => [...names, 'br in chunks', 'base64 in UTF-16LE'].includes(name));

  test.each(encodings)('$name', async ({ name, store }) => {
    const random = new Random(SEED);
    // A page of half a megabyte, as compressible as pages are, with a secret of each kind at its start, middle and end.
    const lines = Array.from({ length: 6000 }, () => logLine(random));
    const within = [0, 2990, 5980].flatMap((line) =>
      kinds.map((kind, index) => {
        const planted = kind.make(random);
        lines[line + index] = `${lines[line + index]} ${planted.plain}`;
        return planted;
      }),
    );
    const stored = store(Buffer.from(lines.join('\n')));
    const bytes = Buffer.alloc(Math.ceil((stored.length + 2 * JOB_BYTES) / PAGE) * PAGE, 0xe9);
    // Across the first border of what is read at once, with more on each side than is read twice.
    stored.copy(bytes, JOB_BYTES - (stored.length >> 1));
    const place = mkdtempSync(join(folder, 'large-'));
    writeFileSync(join(place, 'pagemap-100.img'), pagemap(1, [present(0x7f0000000000n, bytes.length / PAGE)]));
    writeFileSync(join(place, 'pages-1.img'), bytes);
    const known = within.filter((planted) => planted.known).map(({ secret }) => String(secret));
    const { findings } = await scan(
      place,
      known.map((value, index) => ({ name: `secret ${index}`, value, explicit: true })),
    );
    const rules = findings.map(({ ruleId, description }) => (ruleId === 'known-value' ? description : ruleId)).sort();
    expect({ name, rules }).toEqual({
      name,
      rules: [...Array(3).fill('connection-string'), ...Array(3).fill('jwt'), 'secret 0', 'secret 1', 'secret 2'],
    });
  });
});

describe('a secret that is cut in two', { timeout: 60_000 }, () => {
  /** Kinds of which neither half says anything, and encodings that a half of can be read. */
  const kinds = KINDS.filter(({ name }) =>
    ['JWT', 'GitHub token', 'Azure account key', 'NuGet key', 'PKCS#8 of an RSA key', 'known password'].includes(name),
  );
  const encodings = ENCODINGS.filter(({ name }) =>
    /^(as it is|UTF-16LE|base64|hex|URL|base64 in UTF-16LE)$/.test(name),
  );
  const planted = cells(new Random(SEED), kinds, encodings);

  /** Each one's first part at the end of a page, the rest at the start of the next, `gap` pages further in memory. */
  async function cut(gap: number, entriesOf: (address: bigint) => object[]) {
    const entries: object[] = [];
    let address = 0x7f0000000000n;
    const pieces = planted.map((cell) => {
      const at = cutOf(cell);
      const pages = Buffer.alloc(2 * PAGE, 0xe9);
      cell.stored.copy(pages, PAGE - at);
      entries.push(...entriesOf(address));
      address += BigInt((4 + gap) * PAGE);
      return pages;
    });
    const place = mkdtempSync(join(folder, 'cut-'));
    writeFileSync(join(place, 'pagemap-100.img'), pagemap(1, entries as Parameters<typeof pagemap>[1]));
    writeFileSync(join(place, 'pages-1.img'), Buffer.concat(pieces));
    return (await scan(place, knownSecretsOf(planted))).findings;
  }

  test('is none when only the file joins the halves', async () => {
    const findings = await cut(1, (address) => [present(address, 1), present(address + BigInt(2 * PAGE), 1)]);
    expect(findings).toEqual([]);
  });

  test('is one when they are neighbours in memory', async () => {
    const findings = await cut(0, (address) => [present(address, 1), present(address + BigInt(PAGE), 1)]);
    const found = new Set(findings.map(({ offset }) => Math.floor(offset / (2 * PAGE))));
    expect(planted.filter((_cell, index) => !found.has(index)).map(nameOf)).toEqual([]);
  });
});

/** Something of no worth that compresses as text does. */
function logLine(random: Random): string {
  const words = ['Request', 'starting', 'HTTP/1.1', 'GET', 'Executed', 'endpoint', 'orders', 'finished', 'in', 'cache'];
  return Array.from({ length: 10 }, () => `${random.pick(words)} ${random.below(1000)}`).join(' ');
}

/** Where both parts of a stored secret are worth nothing: in the header of a token, in the middle of a random text. */
function cutOf({ kind, stored, planted: { plain } }: Cell): number {
  if (kind === 'JWT') return 4 * Math.floor((stored.length * 0.03) / 4) + 2;
  const secretAt = typeof plain === 'string' ? plain.indexOf('AccountKey=') : -1;
  const middle = secretAt < 0 ? 0.5 : (secretAt + 54) / plain.length;
  return 2 * Math.floor((stored.length * middle) / 2);
}
