// Where things lie in memory. The host lays it out (src/scan/engine/memory.ts) and tells the addresses once.

/** Decodings one inside the other, files included: the bytes of a file are depth 0. */
export const DEPTHS: u32 = 4;
/** Of those, how many may be of text (base64, hex, url, json); compression counts as none. */
export const TEXT_DECODINGS: u32 = 2;
/** Shortest run of text, in characters. */
export const MIN_RUN: u32 = 8;
/** Characters of a long text that are looked at together, and what of them is context on the left and right. */
export const PIECE: u32 = 256 * 1024;
export const CONTEXT_BEFORE: u32 = 32 * 1024;
export const CONTEXT_AFTER: u32 = 64 * 1024;
/** Most literals that the host is told of at once. */
export const MAX_HITS: u32 = 1024;

/** How the bytes of one depth were made from those of the depth below. The host has the same table. */
export const BASE64: u32 = 1;
export const HEX: u32 = 2;
export const URL: u32 = 3;
export const JSON_ESCAPES: u32 = 4;
export const GZIP: u32 = 5;

// A frame for each depth, in bytes from its start. All values are u32.
export const FRAME: usize = 64;
/** The text that is looked at: its address, characters, bytes a character, address of the first one's bytes. */
export const TEXT: usize = 0;
export const LENGTH: usize = 4;
export const WIDTH: usize = 8;
export const SOURCE: usize = 12;
/** What starts in these characters belongs to this text; the rest is context. */
export const OWN_FROM: usize = 16;
export const OWN_TO: usize = 20;
/** Tells one text from the next. */
export const SERIAL: usize = 24;
/** Text decodings that made the bytes of this depth. */
export const LEVEL: usize = 28;
/** How the next depth was made: kind, phase, from and to (indices in the text; addresses for GZIP). */
export const KIND: usize = 32;
export const PHASE: usize = 36;
export const FROM: usize = 40;
export const TO: usize = 44;
/** What starts at these addresses belongs to the bytes of this depth; the rest is context. */
export const AREA_FROM: usize = 48;
export const AREA_TO: usize = 52;

export let frames: usize = 0;
/** By character: its class in the automaton. */
export let classes: usize = 0;
/** By state and class: the next state. */
export let transitions: usize = 0;
/** States from this one on end a pattern; by state from there: address of the list of what ends. */
export let firstAccepting: u32 = 0;
export let accepts: usize = 0;
/** By literal: address, length, length of the prefix that the automaton holds. */
export let literals: usize = 0;
/** By raw literal: address, length. */
export let rawLiterals: usize = 0;
export let rawCount: u32 = 0;
/** Pairs of literal and index, as the host reads them. */
export let hits: usize = 0;
/** By depth: where UTF-16 becomes ASCII. */
export let texts: usize = 0;
/** By depth, from 1: decoded bytes. */
export let areas: usize = 0;
export let areaBytes: usize = 0;
/** By depth: tables of the inflater. */
export let codes: usize = 0;
/** Tables of characters: bits of CLASS_*, value in base64, value in hex. */
export let kinds: usize = 0;
/** Every text is told to the host, keyword or not. */
export let tellAll: bool = false;

export function configure(
  framesAt: usize,
  classesAt: usize,
  transitionsAt: usize,
  firstAcceptingState: u32,
  acceptsAt: usize,
  literalsAt: usize,
  rawLiteralsAt: usize,
  rawLiteralCount: u32,
  hitsAt: usize,
  textsAt: usize,
  areasAt: usize,
  bytesOfArea: usize,
  codesAt: usize,
  kindsAt: usize,
  tellAllTexts: bool,
): void {
  frames = framesAt;
  classes = classesAt;
  transitions = transitionsAt;
  firstAccepting = firstAcceptingState;
  accepts = acceptsAt;
  literals = literalsAt;
  rawLiterals = rawLiteralsAt;
  rawCount = rawLiteralCount;
  hits = hitsAt;
  texts = textsAt;
  areas = areasAt;
  areaBytes = bytesOfArea;
  codes = codesAt;
  kinds = kindsAt;
  tellAll = tellAllTexts;
}

// @ts-ignore: decorator
@inline
export function frameOf(depth: u32): usize {
  return frames + (<usize>depth) * FRAME;
}

/** Where the decoded bytes of a depth from 1 on are. */
// @ts-ignore: decorator
@inline
export function areaOf(depth: u32): usize {
  return areas + (<usize>depth - 1) * areaBytes;
}

// @ts-ignore: decorator
@inline
export function textOf(depth: u32): usize {
  return texts + depth * (PIECE + 64);
}

/** The next depth is made by a decoding of the text of this one. */
export function madeBy(depth: u32, kind: u32, phase: u32, from: u32, to: u32): void {
  const frame = frameOf(depth);
  store<u32>(frame, kind, KIND);
  store<u32>(frame, phase, PHASE);
  store<u32>(frame, from, FROM);
  store<u32>(frame, to, TO);
  const next = frameOf(depth + 1);
  store<u32>(next, load<u32>(frame, LEVEL) + (kind >= GZIP ? 0 : 1), LEVEL);
  store<u32>(next, 0, AREA_FROM);
  store<u32>(next, 0xffffffff, AREA_TO);
}
