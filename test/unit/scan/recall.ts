import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding, KnownSecret, ScanResult } from '../../../src/model/index.ts';
import { ENCODINGS, type Encoding } from './encodings.ts';
import { KINDS, type Kind, type Planted } from './kinds.ts';
import type { Placement, Spot } from './placements.ts';
import type { Random } from './random.ts';

/** One secret of the matrix, in the form in which it is planted. */
export interface Cell {
  kind: string;
  encoding: Encoding;
  planted: Planted;
  /** The bytes that lie in memory. */
  stored: Buffer;
}

/** A fresh secret of every kind in every encoding that it can have. */
export function cells(
  random: Random,
  kinds: readonly Kind[] = KINDS,
  encodings: readonly Encoding[] = ENCODINGS,
): Cell[] {
  return kinds.flatMap((kind) =>
    encodings.flatMap((encoding) => {
      const planted = kind.make(random);
      if (Buffer.isBuffer(planted.plain) && encoding.textOnly) return [];
      const plain = Buffer.isBuffer(planted.plain) ? planted.plain : Buffer.from(planted.plain, 'utf8');
      return [{ kind: kind.name, encoding, planted, stored: encoding.store(plain) }];
    }),
  );
}

/** What a cell is called in messages. */
export function nameOf({ kind, encoding }: Pick<Cell, 'kind' | 'encoding'>): string {
  return `${kind}, ${encoding.name}`;
}

/** The values among the cells that the build is to know. */
export function knownSecretsOf(planted: readonly Cell[]): KnownSecret[] {
  return planted
    .filter((cell) => cell.planted.known)
    .map((cell) => ({ name: `secret of ${nameOf(cell)}`, value: String(cell.planted.secret), explicit: true }));
}

/** The cells that no finding lies in, and the findings that lie in no cell. */
export function compare(
  planted: readonly Cell[],
  spots: readonly Spot[],
  findings: readonly Finding[],
): { missed: Cell[]; stray: Finding[]; findingsOf: Map<Cell, Finding[]> } {
  const findingsOf = new Map<Cell, Finding[]>();
  const stray: Finding[] = [];
  for (const finding of findings) {
    const index = spots.findIndex(
      ({ file, offset }, at) =>
        finding.file === file && finding.offset >= offset && finding.offset < offset + planted[at]!.stored.length,
    );
    const cell = planted[index];
    if (cell === undefined) stray.push(finding);
    else findingsOf.set(cell, [...(findingsOf.get(cell) ?? []), finding]);
  }
  return { missed: planted.filter((cell) => !findingsOf.has(cell)), stray, findingsOf };
}

/** Plants the cells in a snapshot of their own and scans it; the folder is gone afterwards. */
export async function plantAndScan(
  planted: readonly Cell[],
  placement: Placement,
  random: Random,
  scan: (path: string, knownSecrets: KnownSecret[]) => Promise<ScanResult>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'scan-recall-'));
  try {
    const stored = planted.map((cell) => cell.stored);
    const spots = placement.write(folder, stored, random);
    const result = await scan(folder, knownSecretsOf(planted));
    return { result, ...compare(planted, spots, result.findings) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
