import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Finding, KnownSecret, ScanResult } from '../model/findings.ts';
import { CANARY_RULE, missingCanaries, type PlantedCanary, plantCanaries } from './canaries.ts';
import type { Hit } from './engine/hit.ts';
import { searchFiles } from './engine/search.ts';
import { searchableSecrets } from './known/index.ts';
import {
  type AtBuild,
  findingsOf,
  hashOf,
  judge,
  NO_POLICY,
  type Policy,
  type ScanKey,
  scanKey,
  withAges,
} from './policy/index.ts';
import type { RuleSetConfig } from './rules/config.ts';
import { fixOf } from './rules/fixes.ts';
import { agesOf, openSource, type RuntimeHints, type ScannedFile, type Source } from './sources/index.ts';

/** Reasons for which a value is worth nothing. */
export interface Worthless {
  keys: ReadonlyMap<string, string>;
  values: ReadonlyMap<string, string>;
}

/** What a scan is given. */
export interface ScanOptions {
  /** The rules to apply. */
  rules: RuleSetConfig;
  /** Values the build knows, searched for literally. */
  knownSecrets: readonly KnownSecret[];
  /** What is not to count; nothing where absent. */
  policy?: Policy;
  /** What the build has done about secrets among variables; absent where the snapshot is no build's. */
  atBuild?: AtBuild;
  /** Why values are worth nothing: by the ids of the keys that protect them, and by the SHA-256 of the value in hex. */
  worthless?: Worthless;
  /** What values are hashed under; random where absent. */
  key?: ScanKey;
  /** What is known of the runtime, canaries included; of the manifest beside it where absent. */
  hints?: RuntimeHints;
  /** Texts that leave with the snapshot and are searched too, by name. */
  also?: Readonly<Record<string, string>>;
  /** Worker threads; by the number of cores where absent. */
  threads?: number;
  /** Where a folder for what has to be unpacked is made, and removed at the end; the system's where absent. */
  temporaryFolder?: string;
  log: Log;
}

/**
 * Searches a CRIU folder, a checkpoint archive or a core dump for known secret values and for what looks like a secret,
 * in every encoding. Memory use does not grow with it. The result names places and rules, never values.
 * Throws DS6002 or DS1001 where there is nothing to scan, DS4002 where it can't be read whole, DS4003 where a canary was
 * not found: a scan that has gone blind must not call anything clean.
 */
export async function scanSnapshot(path: string, options: ScanOptions): Promise<ScanResult> {
  const { rules, key = scanKey(), policy = NO_POLICY, threads, log } = options;
  const started = performance.now();
  const folder = await mkdtemp(join(options.temporaryFolder ?? tmpdir(), 'dotnet-snapshot-scan-'));
  let source: Source | undefined;
  try {
    source = await openSource(path, { temporaryFolder: folder, ...(options.hints && { hints: options.hints }) });
    const known = searchableSecrets(options.knownSecrets, log);
    const own = plantCanaries();
    const also = Object.entries(options.also ?? {}).map(([name, text]) => added(folder, name, text));
    const files = [...source.files, ...also];
    const found = await searchFiles(
      [...files, added(folder, 'canaries', own.bytes)],
      { rules, known },
      { ...(threads !== undefined && { threads }) },
    );
    const planted = [...own.planted, ...(source.planted ?? [])];
    requireAll(planted, found.hits);
    const hits = found.hits.filter(({ ruleId }) => ruleId !== CANARY_RULE);
    const findings = await placed(hits, source, { ...options, key });
    const worthless = worthlessAmong(hits, options.worthless, key);
    const judged = judge(findings, { ...policy, worthless }, { today: new Date().toISOString().slice(0, 10), key });
    return {
      ...judged,
      notes: [...judged.notes, ...partlyNote(found.partly)],
      ...(key.id !== undefined && { keyId: key.id }),
      files: files.length,
      bytes: found.bytes - own.bytes.length,
      extents: found.extents - 1,
      rules: rules.rules.length,
      knownSecrets: known.length,
      canaries: { planted: planted.length, found: planted.length },
      millis: Math.round(performance.now() - started),
    };
  } finally {
    await source?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reasons by the hash of the value. */
function worthlessAmong(hits: readonly Hit[], worthless: Worthless | undefined, key: ScanKey): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const { keyId, sha256 } of hits) {
    const reason = (keyId !== undefined && worthless?.keys.get(keyId)) || worthless?.values.get(sha256);
    if (reason) reasons.set(hashOf(sha256, key), reason);
  }
  return reasons;
}

function partlyNote(count: number): string[] {
  if (count === 0) return [];
  const what = count === 1 ? '1 piece of compressed data was' : `${count} pieces of compressed data were`;
  return [`${what} searched in part only: too long to be unpacked whole (docs/secrets.md).`];
}

/** A file of this scan's own beside those of the source. */
function added(folder: string, name: string, content: string | Buffer): ScannedFile {
  const bytes = Buffer.from(content);
  const path = join(folder, `added-${name.replaceAll(/[^\w.-]/g, '_')}`);
  writeFileSync(path, bytes, { mode: 0o600 });
  return { name, size: bytes.length, extents: [{ offset: 0, length: bytes.length }], path, start: 0 };
}

function requireAll(planted: readonly PlantedCanary[], hits: readonly Hit[]): void {
  const missing = missingCanaries(planted, hits);
  if (missing.length === 0) return;
  const encodings = [...new Set(missing.map(({ encoding }) => encoding))].join(', ');
  throw new SnapshotError(
    'DS4003',
    `The scan did not find ${missing.length} of the ${planted.length} values that were planted for it to find (${encodings}).`,
  );
}

/** Hits as findings, with their places in the process, and with their ages where there is anything to tell. */
async function placed(
  hits: readonly Hit[],
  source: Source,
  { key, atBuild }: { key: ScanKey; atBuild?: AtBuild },
): Promise<Finding[]> {
  const names = new Set(source.files.map(({ name }) => name));
  const placeOf: Source['placeOf'] = (name, offset) =>
    names.has(name) ? source.placeOf(name, offset) : { mapping: 'record' };
  const isReached = atBuild !== undefined && atBuild.mode !== 'real';
  const fixes = { ruleFix: (ruleId: string) => fixOf(ruleId, isReached), ...(atBuild && { atBuild }) };
  const findings = findingsOf(hits, { key, placeOf, ...fixes });
  return withAges(findings, await agesOf(source, findings), fixes);
}
