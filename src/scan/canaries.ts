import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Hit } from './engine/hit.ts';

/**
 * A canary is a random value that the scan must find, planted in one encoding. Its plain form is
 * `dscanary{` + 32 lower-case hex digits + `}`, followed by `???>>>`, whose base64 has characters that base64url replaces.
 */
export const CANARY_ENCODINGS = [
  'utf-8',
  'utf-16le',
  /** UTF-16LE at an odd address. */
  'utf-16le odd',
  'utf-8 > base64',
  'utf-8 > base64url',
  'utf-8 > hex',
  /** Braces and the tail as %XX. */
  'utf-8 > url',
  /** Braces and the tail as \u00XX. */
  'utf-8 > json',
  'gzip > utf-8',
] as const;

export type CanaryEncoding = (typeof CANARY_ENCODINGS)[number];

/** What is known of a planted canary: enough to recognise it, not the canary itself. */
export interface PlantedCanary {
  encoding: CanaryEncoding;
  /** SHA-256 of `dscanary{…}` (without the tail) in UTF-8, hex. */
  sha256: string;
}

/** Id of the built-in rule that recognises canaries (rules/builtin.ts). */
export const CANARY_RULE = 'canary';

/** What a canary's text ends in; not part of the value that is recognised. */
const TAIL = '???>>>';

/** Bytes between one canary and the next. */
const STEP = 512;

/** A fresh random canary for each encoding, and the bytes that hold them, the first across a page border. */
export function plantCanaries(): { planted: PlantedCanary[]; bytes: Buffer } {
  const start = PAGE - 10;
  const bytes = Buffer.alloc(start + (CANARY_ENCODINGS.length + 1) * STEP);
  const planted = CANARY_ENCODINGS.map((encoding, index) => {
    const value = `dscanary{${randomBytes(16).toString('hex')}}`;
    const offset = start + index * STEP + (encoding === 'utf-16le odd' ? 1 : 0);
    stored(value + TAIL, encoding).copy(bytes, offset);
    return { encoding, sha256: createHash('sha256').update(value).digest('hex') };
  });
  return { planted, bytes };
}

/** The canaries that none of the hits is. */
export function missingCanaries(planted: readonly PlantedCanary[], hits: readonly Hit[]): PlantedCanary[] {
  const seen = new Set(
    hits.filter(({ ruleId }) => ruleId === CANARY_RULE).map((hit) => `${hit.encoding} ${hit.sha256}`),
  );
  return planted.filter(({ encoding, sha256 }) => !seen.has(`${encoding.replace(' odd', '')} ${sha256}`));
}

const PAGE = 4096;

function stored(text: string, encoding: CanaryEncoding): Buffer {
  const bytes = Buffer.from(text);
  const escaped = (prefix: string) =>
    Buffer.from(text.replaceAll(/[^\w]/g, (char) => prefix + char.charCodeAt(0).toString(16)));
  switch (encoding) {
    case 'utf-8':
      return bytes;
    case 'utf-16le':
    case 'utf-16le odd':
      return Buffer.from(text, 'utf16le');
    case 'utf-8 > base64':
    case 'utf-8 > base64url':
      return Buffer.from(bytes.toString(encoding === 'utf-8 > base64' ? 'base64' : 'base64url'));
    case 'utf-8 > hex':
      return Buffer.from(bytes.toString('hex'));
    case 'utf-8 > url':
      return escaped('%');
    case 'utf-8 > json':
      return escaped('\\u00');
    case 'gzip > utf-8':
      return gzipSync(bytes);
  }
}
