import { BASE64, HEX, URL } from './abi.ts';

/** How a stretch of a text was decoded; kinds as in abi.ts. */
export interface Decoding {
  kind: number;
  phase: number;
  /** Indices of the stretch in the text. */
  from: number;
  to: number;
}

/** Tells for each decoded byte what in the text it was made from. */
export interface SourceMap {
  /** Index of the first character of a byte. */
  startOf(byte: number): number;
  /** Index behind the characters of the bytes before this one. */
  endBefore(byte: number): number;
}

/** The map of one stretch. Takes time and memory as the stretch is long, so make it once for all that is found in it. */
export function sourceMapOf(text: string, decoding: Decoding): SourceMap {
  const { kind, phase, from, to } = decoding;
  if (kind === HEX) {
    const index = (byte: number) => Math.min(to, from + phase + 2 * byte);
    return { startOf: index, endBefore: index };
  }
  if (kind === BASE64) {
    const indexOf = charactersOf(text, from, to);
    return {
      startOf: (byte) => indexOf(phase + Math.floor((byte * 8) / 6)),
      endBefore: (byte) => (byte === 0 ? indexOf(phase) : indexOf(phase + Math.ceil((byte * 8) / 6) - 1) + 1),
    };
  }
  const starts = startsOf(text, kind === URL ? URL_ESCAPE : JSON_ESCAPE, from, to);
  const index = (byte: number) => starts[byte] ?? to;
  return { startOf: index, endBefore: index };
}

const URL_ESCAPE = /%[\da-f]{2}/gi;
const JSON_ESCAPE = /\\(?:["\\/bfnrt]|u(?:d[89ab][\da-f]{2}\\ud[c-f][\da-f]{2}|[\da-f]{4}))/gi;

/** By decoded byte: the index that its escape, or the character itself, begins at. */
function startsOf(text: string, escapes: RegExp, from: number, to: number): Uint32Array {
  const starts = new Uint32Array(to - from);
  let byte = 0;
  let index = from;
  const plainTo = (end: number) => {
    while (index < end) starts[byte++] = index++;
  };
  for (const { 0: escaped, index: at } of text.slice(from, to).matchAll(escapes)) {
    plainTo(from + at);
    const bytes = escaped.startsWith('\\u') ? utf8Length(escaped) : 1;
    for (let count = 0; count < bytes; count++) starts[byte++] = index;
    index += escaped.length;
  }
  plainTo(to);
  return starts.subarray(0, byte);
}

/** Bytes that `\uXXXX` is decoded to; half a surrogate pair counts as a character of its own. */
function utf8Length(escaped: string): number {
  if (escaped.length > 6) return 4;
  const unit = Number.parseInt(escaped.slice(2), 16);
  return unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
}

/** Index of the character of base64 with a number, line breaks not counted. */
function charactersOf(text: string, from: number, to: number): (count: number) => number {
  if (!/[\r\n]/.test(text.slice(from, to))) return (count) => Math.min(to, from + count);
  const indices: number[] = [];
  for (let index = from; index < to; index++) if (text[index] !== '\n' && text[index] !== '\r') indices.push(index);
  return (count) => indices[count] ?? to;
}
