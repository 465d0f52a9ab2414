// Runs of text become texts of one byte a character, in pieces of bounded length, and are matched and decoded.
import {
  DEPTHS,
  IS_BACKSLASH,
  IS_PERCENT,
  LENGTH,
  LEVEL,
  OWN_FROM,
  OWN_TO,
  PIECE,
  SERIAL,
  SOURCE,
  TEXT,
  WIDTH,
} from './abi';
import { HAS_STRETCH, match } from './automaton';
import { decodeJson, decodeUrl } from './escapes';
import { CONTEXT_AFTER, CONTEXT_BEFORE, frameOf, TEXT_DECODINGS, textOf } from './state';
import { decodeBase64, decodeHex } from './stretches';

/** Characters from one piece to the next. */
const STEP: u32 = PIECE - CONTEXT_BEFORE - CONTEXT_AFTER;

let serial: u32 = 0;

/** Looks at the run of text at [from, to) in the bytes of `depth`; `width` is the bytes a character. */
export function searchRun(depth: u32, from: usize, to: usize, width: u32): void {
  const length = <u32>(to - from) / width;
  if (length <= PIECE) return searchPiece(depth, from, length, width, 0, length);
  for (let start: u32 = 0; ; start += STEP) {
    const isLast = length - start <= PIECE;
    const size = isLast ? length - start : PIECE;
    const ownFrom = start == 0 ? 0 : CONTEXT_BEFORE;
    searchPiece(depth, from + start * width, size, width, ownFrom, isLast ? size : STEP + CONTEXT_BEFORE);
    if (isLast) return;
  }
}

function searchPiece(depth: u32, from: usize, length: u32, width: u32, ownFrom: u32, ownTo: u32): void {
  let text = from;
  if (width == 2) {
    text = textOf(depth);
    narrow(from, length, text);
  }
  const frame = frameOf(depth);
  store<u32>(frame, text, TEXT);
  store<u32>(frame, length, LENGTH);
  store<u32>(frame, width, WIDTH);
  store<u32>(frame, from, SOURCE);
  store<u32>(frame, ownFrom, OWN_FROM);
  store<u32>(frame, ownTo, OWN_TO);
  store<u32>(frame, ++serial, SERIAL);
  const kinds = match(depth, text, length);
  if (depth + 1 >= DEPTHS || load<u32>(frame, LEVEL) >= TEXT_DECODINGS) return;
  if (kinds & HAS_STRETCH) {
    decodeBase64(depth, text, length);
    decodeHex(depth, text, length);
  }
  if (kinds & IS_PERCENT) decodeUrl(depth, text, length);
  if (kinds & IS_BACKSLASH) decodeJson(depth, text, length);
}

/** UTF-16LE that is all ASCII to one byte a character. Reads and writes up to 16 bytes beyond. */
function narrow(from: usize, length: u32, to: usize): void {
  for (let index: u32 = 0; index < length; index += 16) {
    const at = from + index * 2;
    v128.store(to + index, i8x16.narrow_i16x8_u(v128.load(at), v128.load(at, 16)));
  }
}
