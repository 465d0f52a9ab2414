import type { KnownSecret } from '../model/findings.ts';
import { type Encoding, isPrintable, MIN_RUN } from './runs.ts';

/** One text or byte sequence that is searched for, and the known secret that it stands for. */
interface Literal {
  ruleId: KnownRuleId;
  secret: KnownSecret;
  text: string;
}

/** The two rules that known secrets are reported under. */
export type KnownRuleId = 'known-value' | 'known-value-base64';

/** A place where a known secret was found; `start` is the index in the text or bytes that were searched. */
export interface LiteralHit {
  ruleId: KnownRuleId;
  secret: KnownSecret;
  start: number;
}

/**
 * Searches for known values. Printable ones are whole in a printable run, so they are searched for in runs only,
 * a few percent of all bytes; the others (a password with an umlaut) in all bytes.
 */
export class LiteralSearch {
  /** Longest byte sequence that is searched for. */
  readonly longest: number;
  /** Printable literals by their first two characters, so that many cost no more than one. */
  private readonly inRuns: (Literal[] | undefined)[] = new Array(0x10000);
  private readonly inBytes: { literal: Literal; needle: Buffer; encoding: Encoding }[] = [];

  constructor(secrets: KnownSecret[]) {
    let longest = 0;
    for (const secret of secrets) {
      for (const literal of literalsOf(secret)) {
        longest = Math.max(longest, 2 * Buffer.byteLength(literal.text));
        if (isPrintable(literal.text)) {
          const pair = pairAt(literal.text, 0);
          this.inRuns[pair] = [...(this.inRuns[pair] ?? []), literal];
        } else {
          this.inBytes.push({ literal, needle: Buffer.from(literal.text, 'utf8'), encoding: 'utf-8' });
          this.inBytes.push({ literal, needle: Buffer.from(literal.text, 'utf16le'), encoding: 'utf-16le' });
        }
      }
    }
    this.longest = longest;
  }

  /** All printable known values in a printable run. */
  searchRun(text: string, found: (hit: LiteralHit) => void): void {
    const lastStart = text.length - MIN_RUN;
    for (let start = 0; start <= lastStart; start++) {
      const candidates = this.inRuns[pairAt(text, start)];
      if (candidates === undefined) continue;
      for (const { ruleId, secret, text: needle } of candidates) {
        if (text.startsWith(needle, start)) found({ ruleId, secret, start });
      }
    }
  }

  /** All other known values in raw bytes. */
  searchBytes(bytes: Buffer, found: (hit: LiteralHit, encoding: Encoding) => void): void {
    for (const { literal, needle, encoding } of this.inBytes) {
      for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + needle.length)) {
        found({ ruleId: literal.ruleId, secret: literal.secret, start: at }, encoding);
      }
    }
  }
}

function pairAt(text: string, at: number): number {
  return (text.charCodeAt(at) << 8) | text.charCodeAt(at + 1);
}

function literalsOf(secret: KnownSecret): Literal[] {
  return [
    { ruleId: 'known-value', secret, text: secret.value },
    ...base64Cores(secret.value).map((text) => ({ ruleId: 'known-value-base64' as const, secret, text })),
  ];
}

/**
 * The base64 characters that only this value decides, for each of the three places it can have in a larger text
 * (`user:PASSWORD` in a Basic header, JSON in a Kubernetes secret).
 */
function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  return [0, 1, 2].map((shift) => {
    const firstOwn = Math.ceil((shift * 8) / 6);
    const afterOwn = Math.floor(((shift + bytes.length) * 8) / 6);
    return Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(firstOwn, afterOwn);
  });
}
