// The first pass over bytes. Most of a process's memory is no text: 48 bytes at a time are told apart by bit masks,
// and only what begins a run of text, a gzip stream or a DER structure is looked at one by one.
import { BYTES_FROM, BYTES_TO, DEPTHS, RAW_BYTES, RAW_LENGTH } from './abi';
import { asciiEnd, bits, pair, printable, utf16End } from './bytes';
import { onDer, onRaw } from './host';
import { gunzip } from './inflate';
import { frameOf, rawCount, rawLiterals } from './state';
import { searchRun } from './text';

/** Bytes from one block to the next. A block is 64 bytes: a run in UTF-16 that begins in these is known by the rest. */
const STEP: u32 = 48;

/** Searches the bytes at [from, to), which are those of `depth`. May read up to 80 bytes beyond. */
export function search(depth: u32, from: usize, to: usize): void {
  store<u32>(frameOf(depth), <u32>from, BYTES_FROM);
  store<u32>(frameOf(depth), <u32>to, BYTES_TO);
  for (let literal: u32 = 0; literal < rawCount; literal++) searchRaw(depth, from, to, literal);
  const zero = i8x16.splat(0);
  // What looks like a stream or key inside one that is whole is none of its own.
  let known = from;
  let at = from;
  while (at < to) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    let text = bits(printable(a), printable(b), printable(c), printable(d));
    let nul = bits(i8x16.eq(a, zero), i8x16.eq(b, zero), i8x16.eq(c, zero), i8x16.eq(d, zero));
    const inside = to - at;
    if (inside < 64) {
      const keep = ((<u64>1) << inside) - 1;
      text &= keep;
      nul &= keep;
    }
    // A bit that stays has seven more behind it; in UTF-16 each second one, with a zero after each.
    let ascii = text & (text >> 1);
    ascii &= ascii >> 2;
    ascii &= ascii >> 4;
    let utf16 = text & (nul >> 1);
    utf16 &= utf16 >> 2;
    utf16 &= utf16 >> 4;
    utf16 &= utf16 >> 8;
    const hasBinary = v128.any_true(
      v128.or(
        v128.or(candidates(at, a), candidates(at + 16, b)),
        v128.or(candidates(at + 32, c), candidates(at + 48, d)),
      ),
    );
    let next = at + STEP;
    if ((ascii | utf16) != 0) {
      const firstAscii = <u32>ctz(ascii);
      const firstUtf16 = <u32>ctz(utf16);
      if (min(firstAscii, firstUtf16) < STEP) {
        if (firstAscii < firstUtf16) {
          const end = asciiEnd(at + firstAscii, to);
          searchRun(depth, at + firstAscii, end, 1);
          // With a zero behind it the last character may begin UTF-16.
          next = end == to ? to : end - 1;
        } else {
          next = utf16End(at + firstUtf16, to);
          searchRun(depth, at + firstUtf16, next, 2);
        }
      }
    }
    if (hasBinary) known = searchBinary(depth, from, at, min(next, min(at + 64, to)), to, known);
    at = next;
  }
}

/** Where gzip's magic, the version number of a DER structure, or an identifier of RSA's authors in one may be. */
// @ts-ignore: decorator
@inline
function candidates(at: usize, v: v128): v128 {
  return v128.or(v128.or(pair(at, v, 0x1f, 0x8b), pair(at, v, 0x02, 0x01)), pair(at, v, 0xf7, 0x0d));
}

/** Looks at the candidates in [at, until) of the bytes [from, to); returns where the last whole stream or key ends. */
function searchBinary(depth: u32, from: usize, at: usize, until: usize, to: usize, known: usize): usize {
  for (; at < until; at++) {
    const first = load<u16>(at);
    if (first == 0x8b1f) {
      if (depth + 1 >= DEPTHS || at < known || at + 18 > to) continue;
      // Deflate, and none of the reserved flags.
      if (load<u8>(at, 2) != 8 || (load<u8>(at, 3) & 0xe0) != 0) continue;
      const end = gunzip(depth, at, to);
      if (end != 0) known = end;
    } else if (first == 0x0102) {
      if (at + 3 > to || load<u8>(at, 2) > 3) continue;
      known = max(known, searchKey(depth, from, at, to, known));
    } else if (first == 0x0df7) {
      // 06 09 2a 86 48 86 f7 0d 01 05 ..: an algorithm of PKCS #5 or #12, the first part of an encrypted key.
      if (at - from < 10 || at + 4 > to || load<u32>(at - 4) != 0x8648862a || load<u8>(at - 6) != 6) continue;
      if (load<u8>(at, 2) != 1 || (load<u8>(at, 3) != 5 && load<u8>(at, 3) != 12)) continue;
      const algorithm = sequenceBefore(at - 6, from);
      if (algorithm != 0) known = max(known, searchKey(depth, from, algorithm, to, known));
    }
  }
  return known;
}

/** Tells of a SEQUENCE whose first element is at `first`. Returns the end of a key, or 0. */
function searchKey(depth: u32, from: usize, first: usize, to: usize, known: usize): usize {
  const sequence = sequenceBefore(first, from);
  return sequence == 0 || sequence < known ? 0 : onDer(depth, sequence, to);
}

/** Where a SEQUENCE begins, at `from` or later, whose first element is at `at`, or 0. */
function sequenceBefore(at: usize, from: usize): usize {
  const before = at - from;
  if (before >= 4 && load<u16>(at - 4) == 0x8230) return at - 4;
  if (before >= 3 && load<u16>(at - 3) == 0x8130) return at - 3;
  if (before >= 2 && load<u8>(at - 2) == 0x30 && load<u8>(at - 1) < 0x80) return at - 2;
  if (before >= 5 && load<u16>(at - 5) == 0x8330) return at - 5;
  return 0;
}

/** Values without a printable stretch as long as a run: compared at each place with the right first and last byte. */
function searchRaw(depth: u32, from: usize, to: usize, literal: u32): void {
  const bytes = <usize>load<u32>(rawLiterals + literal * RAW_BYTES);
  const length = <usize>load<u32>(rawLiterals + literal * RAW_BYTES, RAW_LENGTH);
  if (length > to - from) return;
  const first = i8x16.splat(load<i8>(bytes));
  const last = i8x16.splat(load<i8>(bytes + length - 1));
  const end = to - length + 1;
  for (let at = from; at < end; at += 16) {
    let places: u32 = i8x16.bitmask(
      v128.and(i8x16.eq(v128.load(at), first), i8x16.eq(v128.load(at + length - 1), last)),
    );
    for (; places != 0; places &= places - 1) {
      const place = at + <usize>ctz(places);
      if (place < end && memory.compare(place, bytes, length) == 0) onRaw(depth, literal, place);
    }
  }
}
