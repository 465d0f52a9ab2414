// Canonical Huffman codes of deflate: a table for short codes, counts and sorted symbols for the long ones.

/** Codes up to this many bits are decoded by one lookup. */
export const FAST_BITS: u32 = 10;

// A code in memory: the table of 1024 u16 (symbol << 4 | bits, 0 for none), 16 u16 counts by length, 288 u16 symbols.
const COUNTS: usize = 2048;
const SYMBOLS: usize = 32;

// @ts-ignore: decorator
@inline
export function fastOf(code: usize): usize {
  return code;
}

// @ts-ignore: decorator
@inline
export function countsOf(code: usize): usize {
  return code + COUNTS;
}

/** Builds the code whose symbols have the lengths (bytes) at `lengths`. False where there are too many short ones. */
export function construct(code: usize, lengths: usize, symbols: u32): bool {
  const counts = code + COUNTS;
  memory.fill(code, 0, COUNTS + 32);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count = counts + ((<u32>load<u8>(lengths + symbol)) << 1);
    store<u16>(count, load<u16>(count) + 1);
  }
  let left = 1;
  for (let length: u32 = 1; length < 16; length++) {
    left = (left << 1) - <i32>load<u16>(counts + (length << 1));
    if (left < 0) return false;
  }
  store<u16>(counts, 0);
  let place: u32 = 0;
  let next: u32 = 0;
  for (let length: u32 = 1; length < 16; length++) {
    next <<= 1;
    if (load<u16>(counts + (length << 1)) == 0) continue;
    for (let symbol: u32 = 0; symbol < symbols; symbol++) {
      if (<u32>load<u8>(lengths + symbol) != length) continue;
      store<u16>(counts + SYMBOLS + (place++ << 1), symbol);
      if (length <= FAST_BITS) fill(code, symbol, length, next);
      next++;
    }
  }
  return true;
}

/** Enters a code of `length` bits, which come highest first, at all places of the table that begin with it. */
function fill(code: usize, symbol: u32, length: u32, bits: u32): void {
  let reversed: u32 = 0;
  for (let index: u32 = 0; index < length; index++) reversed |= ((bits >> index) & 1) << (length - 1 - index);
  for (let entry = reversed; entry < 1 << FAST_BITS; entry += 1 << length) {
    store<u16>(code + (entry << 1), (symbol << 4) | length);
  }
}

/** The symbol that `bits` begins with as symbol << 4 | length, or less than 0. */
export function decodeSlowly(counts: usize, bits: u32): i32 {
  let code: i32 = 0;
  let first: i32 = 0;
  let index: i32 = 0;
  for (let length: u32 = 1; length < 16; length++) {
    code |= (bits >> (length - 1)) & 1;
    const count = <i32>load<u16>(counts + (length << 1));
    if (code - count < first) return (<i32>load<u16>(counts + SYMBOLS + ((index + code - first) << 1)) << 4) | length;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return -1;
}
