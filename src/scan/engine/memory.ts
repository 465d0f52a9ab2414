import * as abi from './abi.ts';
import type { Patterns } from './patterns.ts';
import type { Exports } from './wasm.ts';

/** Decoded bytes of one depth that are searched at once: no text is decoded to more than it was. */
const AREA = abi.PIECE;

const PAGE = 64 * 1024;

/** Where the host finds things in the memory of the first pass. */
export interface Layout {
  frames: number;
  hits: number;
  /** Decoded bytes of depth 1; each depth has `areaBytes` of them. */
  areas: number;
  areaBytes: number;
  /** Where the bytes of a file are read to. */
  input: number;
}

/** Lays out the memory, writes the tables, and makes room for `inputBytes` of a file. */
export function layOut(exports: Exports, patterns: Patterns, inputBytes: number): Layout {
  const { automaton, literals, raw } = patterns;
  let end = PAGE;
  const room = (bytes: number) => {
    const at = end;
    end += Math.ceil(bytes / 64) * 64;
    return at;
  };
  const frames = room(abi.DEPTHS * abi.FRAME);
  const kinds = room(abi.KINDS_BYTES);
  const classes = room(256);
  const transitions = room(automaton.transitions.byteLength);
  const accepts = room(automaton.ends.length * 4);
  const lists = room(automaton.ends.reduce((sum, ids) => sum + 4 + 4 * ids.length, 0));
  const literalTable = room(literals.length * abi.LITERAL_BYTES);
  const literalBytes = room(literals.reduce((sum, { text }) => sum + text.length, 0));
  const rawTable = room(raw.length * abi.RAW_BYTES);
  const rawBytes = room(raw.reduce((sum, { bytes }) => sum + bytes.length, 0) + abi.SLACK);
  const hits = room(abi.MAX_HITS * abi.HIT_BYTES);
  const codes = room(abi.DEPTHS * abi.INFLATE_TABLES);
  const texts = room(abi.DEPTHS * (abi.PIECE + abi.PIECE_SLACK) + abi.SLACK);
  const areaBytes = AREA + abi.SLACK;
  const areas = room((abi.DEPTHS - 1) * areaBytes);
  const input = room(inputBytes + abi.SLACK);
  exports.memory.grow(Math.ceil(end / PAGE) - exports.memory.buffer.byteLength / PAGE);

  const bytes = Buffer.from(exports.memory.buffer);
  writeKinds(bytes.subarray(kinds, kinds + abi.KINDS_BYTES));
  bytes.set(automaton.classes, classes);
  new Uint16Array(exports.memory.buffer, transitions, automaton.transitions.length).set(automaton.transitions);
  let list = lists;
  automaton.ends.forEach((ids, index) => {
    bytes.writeUInt32LE(list, accepts + index * 4);
    // A keyword need be told of but once.
    const unlike = [...new Set(ids)];
    list = bytes.writeUInt32LE(unlike.length, list);
    for (const id of unlike) list = bytes.writeUInt32LE(id, list);
  });
  let at = literalBytes;
  literals.forEach(({ text, prefix }, index) => {
    const entry = literalTable + index * abi.LITERAL_BYTES;
    bytes.writeUInt32LE(at, entry);
    bytes.writeUInt32LE(text.length, entry + abi.LITERAL_LENGTH);
    bytes.writeUInt32LE(prefix, entry + abi.LITERAL_PREFIX);
    at += bytes.write(text, at, 'latin1');
  });
  at = rawBytes;
  raw.forEach((literal, index) => {
    const entry = rawTable + index * abi.RAW_BYTES;
    bytes.writeUInt32LE(at, entry);
    bytes.writeUInt32LE(literal.bytes.length, entry + abi.RAW_LENGTH);
    bytes.set(literal.bytes, at);
    at += literal.bytes.length;
  });
  exports.configure(
    frames,
    classes,
    transitions,
    automaton.firstAccepting,
    accepts,
    literalTable,
    rawTable,
    raw.length,
    hits,
    texts,
    areas,
    areaBytes,
    codes,
    kinds,
    patterns.tellAll,
  );
  return { frames, hits, areas, areaBytes, input };
}

/** By character: what it can be part of, its value in base64, its value in hex. */
function writeKinds(table: Buffer): void {
  table.fill(0xff, abi.BASE64_VALUES);
  const put = (from: string, to: string, base64: number, hex?: number) => {
    for (let char = from.charCodeAt(0); char <= to.charCodeAt(0); char++) {
      const index = char - from.charCodeAt(0);
      table[char] = abi.IN_BASE64;
      table[abi.BASE64_VALUES + char] = base64 + index;
      if (hex !== undefined && index < (from === '0' ? 10 : 6)) {
        table[char] = abi.IN_BASE64 | abi.IN_HEX;
        table[abi.HEX_VALUES + char] = hex + index;
      }
    }
  };
  put('A', 'Z', 0, 10);
  put('a', 'z', 26, 10);
  put('0', '9', 52, 0);
  put('+', '+', 62);
  put('-', '-', 62);
  put('/', '/', 63);
  put('_', '_', 63);
  table['%'.charCodeAt(0)] = abi.IS_PERCENT;
  table['\\'.charCodeAt(0)] = abi.IS_BACKSLASH;
}
