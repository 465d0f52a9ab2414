// Where things lie in memory. The host lays it out (src/scan/engine/memory.ts) and tells the addresses once.

import {
  AREA_FROM,
  AREA_TO,
  FRAME,
  FROM,
  GZIP,
  KIND,
  LEVEL,
  PHASE,
  PIECE,
  PIECE_SLACK,
  TO,
} from './abi';

/** Of the decodings, how many may be of text (base64, hex, url, json); compression counts as none. */
export const TEXT_DECODINGS: u32 = 2;
/** Characters of a piece that are context on the left and right. */
export const CONTEXT_BEFORE: u32 = 32 * 1024;
export const CONTEXT_AFTER: u32 = 64 * 1024;

/** By depth: what abi.ts calls a frame. */
export let frames: usize = 0;
/** By character: its class in the automaton. */
export let classes: usize = 0;
/** By state and class: the next state. */
export let transitions: usize = 0;
/** States from this one on end a pattern; by state from there: address of the list of what ends. */
export let firstAccepting: u32 = 0;
export let accepts: usize = 0;
/** By literal and raw literal: see abi.ts. */
export let literals: usize = 0;
export let rawLiterals: usize = 0;
export let rawCount: u32 = 0;
/** Literals in a text, as the host reads them. */
export let hits: usize = 0;
/** By depth: where UTF-16 becomes ASCII. */
export let texts: usize = 0;
/** By depth, from 1: decoded bytes. */
export let areas: usize = 0;
export let areaBytes: usize = 0;
/** By depth: tables of the inflater. */
export let codes: usize = 0;
/** Tables of characters: what each may belong to, its value in base64, its value in hex. */
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
  return texts + depth * (PIECE + PIECE_SLACK);
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
