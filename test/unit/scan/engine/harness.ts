import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KnownSecret } from '../../../../src/model/findings.ts';
import type { Hit } from '../../../../src/scan/engine/hit.ts';
import { type SearchResult, searchFiles } from '../../../../src/scan/engine/search.ts';
import type { RuleConfig, RuleSetConfig } from '../../../../src/scan/rules/config.ts';

/** A rule for `tok_` and 32 hex digits; `overrides` make another of it. */
export function ruleOf(overrides: Partial<RuleConfig> = {}): RuleConfig {
  return {
    id: 'token',
    description: 'Token of these tests',
    origin: 'dotnet-snapshot',
    regex: 'tok_[0-9a-f]{32}',
    secretGroup: 0,
    entropy: 0,
    keywords: ['tok_'],
    tags: [],
    allowlists: [],
    required: [],
    skipReport: false,
    disabled: false,
    isLocal: false,
    ...overrides,
  };
}

export function rulesOf(...rules: RuleConfig[]): RuleSetConfig {
  return { rules, allowlists: [], warnings: [] };
}

export const TOKEN_RULES = rulesOf(ruleOf());

/** A random value that `TOKEN_RULES` match. */
export function randomToken(): string {
  return `tok_${randomBytes(16).toString('hex')}`;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Random bytes, none of them printable or zero, so that nothing in them is text. */
export function noise(length: number): Buffer {
  return Buffer.from(randomBytes(length).map((byte) => 0x80 | byte));
}

/** `stored` in noise, `before` bytes before and behind it. */
export function inNoise(stored: Buffer | string, before = 100): Buffer {
  return Buffer.concat([noise(before), Buffer.from(stored as string), noise(before)]);
}

export interface Search {
  rules?: RuleSetConfig;
  known?: KnownSecret[];
  /** Pairs of offset and length; one over all bytes where not given. */
  extents?: [offset: number, length: number][];
  threads?: number;
}

/** What is found in bytes. */
export async function searchBytes(bytes: Buffer, search: Search = {}): Promise<Hit[]> {
  return (await resultOf(bytes, search)).hits;
}

/** Searches bytes as a file of that name. */
export async function resultOf(bytes: Buffer, search: Search = {}): Promise<SearchResult> {
  const { rules = TOKEN_RULES, known = [], extents = [[0, bytes.length]], threads = 1 } = search;
  const folder = mkdtempSync(join(tmpdir(), 'engine-'));
  try {
    const path = join(folder, 'bytes');
    writeFileSync(path, bytes);
    const file = {
      name: 'pages-1.img',
      size: bytes.length,
      path,
      start: 0,
      extents: extents.map(([offset, length]) => ({ offset, length })),
    };
    return await searchFiles([file], { rules, known }, { threads });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
