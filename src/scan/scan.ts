import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { KnownSecret, ScanResult } from '../model/findings.ts';
import { FindingCollector } from './collector.ts';
import { type Extent, type ImageFile, planFiles } from './extents.ts';
import { searchableSecrets } from './known.ts';
import { LiteralSearch } from './literals.ts';
import { damaged } from './pagemap.ts';
import { RULES } from './rules.ts';
import { RuleSearch } from './rulesearch.ts';
import { type Encoding, visitRuns } from './runs.ts';
import { type Window, windowBuffer, windowsOf } from './windows.ts';

/** What a scan is given. */
export interface ScanOptions {
  /** Values the build knows, searched for literally. See `knownSecretsFrom`. */
  knownSecrets: KnownSecret[];
  log: Log;
}

/** Context around a window, in bytes: the longest text that a rule matches (16 Ki characters in UTF-16), twice. */
const RULE_CONTEXT = 64 * 1024;

/** Bytes read before other work of this process gets its turn. */
const TURN_BYTES = 16 * 1024 * 1024;

/**
 * Searches all files of a CRIU image folder for known secret values and for what looks like a secret.
 * Memory use does not grow with the snapshot. The result names places and rules, never values.
 * Throws DS6002 where there is no CRIU image, DS4002 where an image can't be read whole.
 */
export async function scanSnapshot(dir: string, { knownSecrets, log }: ScanOptions): Promise<ScanResult> {
  const started = performance.now();
  const files = planFiles(dir);
  const secrets = searchableSecrets(knownSecrets, log);
  const scanner = new Scanner(secrets);
  for (const file of files) await scanner.scan(dir, file);
  return {
    findings: scanner.collector.findings(),
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.size, 0),
    extents: files.reduce((sum, file) => sum + file.extents.length, 0),
    rules: RULES.length,
    knownSecrets: secrets.length,
    millis: Math.round(performance.now() - started),
  };
}

class Scanner {
  readonly collector = new FindingCollector();
  private readonly rules = new RuleSearch(RULES);
  private readonly literals: LiteralSearch;
  private readonly knownValues: ReadonlySet<string>;
  private readonly overlap: number;
  private readonly buffer: Buffer;
  private untilTurn = TURN_BYTES;

  constructor(secrets: KnownSecret[]) {
    this.literals = new LiteralSearch(secrets);
    this.knownValues = new Set(secrets.map((secret) => secret.value));
    this.overlap = Math.max(RULE_CONTEXT, this.literals.longest);
    this.buffer = windowBuffer(this.overlap);
  }

  async scan(dir: string, file: ImageFile): Promise<void> {
    if (file.extents.length === 0) return;
    const fd = open(dir, file.name);
    try {
      for (const extent of file.extents) {
        for (const window of windowsOf(fd, file.name, extent, this.buffer, this.overlap)) {
          this.scanWindow(file.name, extent, window);
          this.untilTurn -= window.bytes.length;
          if (this.untilTurn > 0) continue;
          this.untilTurn = TURN_BYTES;
          await nextTurn();
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  private scanWindow(file: string, extent: Extent, window: Window): void {
    const add = (
      ruleId: string,
      description: string,
      secret: string,
      encoding: Encoding,
      start: number,
      matchStart = start,
    ) => {
      if (window.offset + matchStart < window.from || window.offset + matchStart >= window.to) return;
      const offset = window.offset + start;
      this.collector.add({ ruleId, description, secret, encoding, file, offset, ...placeInProcess(extent, offset) });
    };
    this.literals.searchBytes(window.bytes, ({ ruleId, secret, start }, encoding) => {
      add(ruleId, secret.name, secret.value, encoding, start);
    });
    visitRuns(window.bytes, (text, first, encoding) => {
      const width = encoding === 'utf-16le' ? 2 : 1;
      this.literals.searchRun(text, ({ ruleId, secret, start }) => {
        add(ruleId, secret.name, secret.value, encoding, first + start * width);
      });
      this.rules.searchRun(text, ({ rule, secret, start, matchStart }) => {
        // The literal search has told of it, by the name of its source.
        if (this.knownValues.has(secret)) return;
        add(rule.id, rule.description, secret, encoding, first + start * width, first + matchStart * width);
      });
    });
  }
}

function placeInProcess({ offset, address, pid }: Extent, at: number): { address?: string; pid?: number } {
  if (address === undefined || pid === undefined) return {};
  return { address: `0x${(address + BigInt(at - offset)).toString(16)}`, pid };
}

function open(dir: string, name: string): number {
  try {
    return openSync(join(dir, name), 'r');
  } catch (error) {
    throw damaged(name, 'it can not be read', String(error));
  }
}
