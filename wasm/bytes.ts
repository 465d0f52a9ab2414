// What kind of bytes lie at an address: SIMD compares turned into bit masks, lowest bit first.

/** All ones in each lane that holds printable ASCII, tab, line feed or carriage return. */
// @ts-ignore: decorator
@inline
export function printable(v: v128): v128 {
  // A lookup by value, 0 from 16 on.
  const blank = i8x16.swizzle(i8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, -1, 0, 0), v);
  return v128.or(i8x16.le_u(i8x16.sub(v, i8x16.splat(0x20)), i8x16.splat(0x5e)), blank);
}

/** One bit for each of 64 lanes. */
// @ts-ignore: decorator
@inline
export function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    (<u64>i8x16.bitmask(a)) |
    ((<u64>i8x16.bitmask(b)) << 16) |
    ((<u64>i8x16.bitmask(c)) << 32) |
    ((<u64>i8x16.bitmask(d)) << 48)
  );
}

/** All ones in each lane whose byte is `first`, with `second` behind it. Reads 17 bytes. */
// @ts-ignore: decorator
@inline
export function pair(at: usize, v: v128, first: u8, second: u8): v128 {
  return v128.and(
    i8x16.eq(v, i8x16.splat(<i8>first)),
    i8x16.eq(v128.load(at + 1), i8x16.splat(<i8>second)),
  );
}

/** End of the printable bytes from `at` on, at most `to`. */
export function asciiEnd(at: usize, to: usize): usize {
  for (; at < to; at += 16) {
    const others: i32 = i8x16.bitmask(printable(v128.load(at))) ^ 0xffff;
    if (others != 0) return min(at + <usize>ctz(others), to);
  }
  return to;
}

/** End of the UTF-16LE units from `at` on that are printable ASCII, at most `to`. */
export function utf16End(at: usize, to: usize): usize {
  for (; at < to; at += 16) {
    const v = v128.load(at);
    const text: i32 = i8x16.bitmask(printable(v));
    const zero: i32 = i8x16.bitmask(i8x16.eq(v, i8x16.splat(0)));
    const others: i32 = ((text & (zero >> 1)) & 0x5555) ^ 0x5555;
    if (others != 0) {
      at += <usize>ctz(others);
      break;
    }
  }
  // A unit whose second byte is not inside is none.
  return at <= to ? at : at - ((at - to + 1) & ~1);
}
