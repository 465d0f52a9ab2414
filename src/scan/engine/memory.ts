import type { Patterns } from './patterns.ts';
import type { Exports } from './wasm.ts';

// As in wasm/state.ts.
export const DEPTHS = 4;
export const FRAME = 64;
const PIECE = 256 * 1024;
const MAX_HITS = 1024;
const AREA = 256 * 1024;
const CODES = 8192;
/** Blocks are read whole, so a little lies beyond everything that is read. */
const SLACK = 256;

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
  const frames = room(DEPTHS * FRAME);
  const kinds = room(768);
  const classes = room(256);
  const transitions = room(automaton.transitions.byteLength);
  const accepts = room(automaton.ends.length * 4);
  const lists = room(automaton.ends.reduce((sum, ids) => sum + 4 + 4 * ids.length, 0));
  const literalTable = room(literals.length * 12);
  const literalBytes = room(literals.reduce((sum, { text }) => sum + text.length, 0));
  const rawTable = room(raw.length * 8);
  const rawBytes = room(raw.reduce((sum, { bytes }) => sum + bytes.length, 0) + SLACK);
  const hits = room(MAX_HITS * 8);
  const codes = room(DEPTHS * CODES);
  const texts = room(DEPTHS * (PIECE + 64) + SLACK);
  const areaBytes = AREA + SLACK;
  const areas = room((DEPTHS - 1) * areaBytes);
  const input = room(inputBytes + SLACK);
  exports.memory.grow(Math.ceil(end / PAGE) - exports.memory.buffer.byteLength / PAGE);

  const bytes = Buffer.from(exports.memory.buffer);
  writeKinds(bytes.subarray(kinds, kinds + 768));
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
    bytes.writeUInt32LE(at, literalTable + index * 12);
    bytes.writeUInt32LE(text.length, literalTable + index * 12 + 4);
    bytes.writeUInt32LE(prefix, literalTable + index * 12 + 8);
    at += bytes.write(text, at, 'latin1');
  });
  at = rawBytes;
  raw.forEach((literal, index) => {
    bytes.writeUInt32LE(at, rawTable + index * 8);
    bytes.writeUInt32LE(literal.bytes.length, rawTable + index * 8 + 4);
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

/** By character: what it can be part of (wasm/automaton.ts), its value in base64, its value in hex. */
function writeKinds(table: Buffer): void {
  table.fill(0xff, 256);
  const put = (from: string, to: string, base64: number, hex?: number) => {
    for (let char = from.charCodeAt(0); char <= to.charCodeAt(0); char++) {
      const index = char - from.charCodeAt(0);
      table[char] = 1;
      table[256 + char] = base64 + index;
      if (hex !== undefined && index < (from === '0' ? 10 : 6)) {
        table[char] = 3;
        table[512 + char] = hex + index;
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
  table['%'.charCodeAt(0)] = 4;
  table['\\'.charCodeAt(0)] = 8;
}
