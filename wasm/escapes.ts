// Texts with %XX or JSON's backslash escapes, decoded from the first line that has one to the last.
import { HEX_VALUES, JSON_ESCAPES, URL } from './abi';
import { search } from './search';
import { areaOf, kinds, madeBy } from './state';

const PERCENT: u32 = 0x25;
const PLUS: u32 = 0x2b;
const BACKSLASH: u32 = 0x5c;

/** Twice where there is a plus: it is one, or a space in a form. */
export function decodeUrl(depth: u32, text: usize, length: u32): void {
  let first: u32 = length;
  let last: u32 = 0;
  let plus = false;
  for (let index: u32 = 0; index < length; index++) {
    const char = <u32>load<u8>(text + index);
    if (char == PLUS) plus = true;
    if (char != PERCENT || byteAt(text, index + 1, length) < 0) continue;
    if (first == length) first = index;
    last = index;
  }
  if (first == length) return;
  const from = lineStart(text, first);
  const to = lineEnd(text, last, length);
  const readings: u32 = plus ? 2 : 1;
  for (let phase: u32 = 0; phase < readings; phase++) {
    const area = areaOf(depth + 1);
    let out = area;
    for (let index = from; index < to; index++) {
      let char = <u32>load<u8>(text + index);
      if (char == PERCENT) {
        const byte = byteAt(text, index + 1, to);
        if (byte >= 0) {
          char = <u32>byte;
          index += 2;
        }
      } else if (char == PLUS && phase == 1) char = 0x20;
      store<u8>(out++, char);
    }
    madeBy(depth, URL, phase, from, to);
    search(depth + 1, area, out);
  }
}

export function decodeJson(depth: u32, text: usize, length: u32): void {
  let first: u32 = length;
  let last: u32 = 0;
  for (let index: u32 = 0; index < length; index++) {
    if (<u32>load<u8>(text + index) != BACKSLASH) continue;
    const size = escapeLength(text, index, length);
    if (size == 0) continue;
    if (first == length) first = index;
    last = index;
    index += size - 1;
  }
  if (first == length) return;
  const from = lineStart(text, first);
  const to = lineEnd(text, last, length);
  const area = areaOf(depth + 1);
  let out = area;
  for (let index = from; index < to; ) {
    const char = <u32>load<u8>(text + index);
    const size = char == BACKSLASH ? escapeLength(text, index, to) : 0;
    if (size == 0) {
      store<u8>(out++, char);
      index++;
      continue;
    }
    out = size >= 6 ? utf8(codePointAt(text, index, to), out) : plainEscape(<u32>load<u8>(text + index + 1), out);
    index += size;
  }
  madeBy(depth, JSON_ESCAPES, 0, from, to);
  search(depth + 1, area, out);
}

/** Characters of the escape at `index`: 2, 6, 12 for a surrogate pair, 0 for none. */
function escapeLength(text: usize, index: u32, length: u32): u32 {
  if (index + 1 >= length) return 0;
  switch (<u32>load<u8>(text + index + 1)) {
    case 0x22:
    case 0x2f:
    case 0x5c:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 2;
    case 0x75: {
      const unit = unitAt(text, index + 2, length);
      if (unit < 0) return 0;
      return (unit & 0xfc00) == 0xd800 && lowSurrogateAt(text, index + 6, length) >= 0 ? 12 : 6;
    }
    default:
      return 0;
  }
}

function lowSurrogateAt(text: usize, index: u32, length: u32): i32 {
  if (index + 6 > length || load<u16>(text + index) != 0x755c) return -1;
  const unit = unitAt(text, index + 2, length);
  return (unit & 0xfc00) == 0xdc00 ? unit : -1;
}

function codePointAt(text: usize, index: u32, length: u32): u32 {
  const unit = <u32>unitAt(text, index + 2, length);
  if ((unit & 0xfc00) != 0xd800) return unit;
  const low = lowSurrogateAt(text, index + 6, length);
  return low < 0 ? unit : 0x10000 + ((unit - 0xd800) << 10) + (<u32>low - 0xdc00);
}

function plainEscape(char: u32, out: usize): usize {
  if (char == 0x62) char = 8;
  else if (char == 0x66) char = 12;
  else if (char == 0x6e) char = 10;
  else if (char == 0x72) char = 13;
  else if (char == 0x74) char = 9;
  store<u8>(out, char);
  return out + 1;
}

function utf8(point: u32, out: usize): usize {
  if (point < 0x80) {
    store<u8>(out, point);
    return out + 1;
  }
  if (point < 0x800) {
    store<u8>(out, 0xc0 | (point >> 6));
    store<u8>(out, 0x80 | (point & 63), 1);
    return out + 2;
  }
  if (point < 0x10000) {
    store<u8>(out, 0xe0 | (point >> 12));
    store<u8>(out, 0x80 | ((point >> 6) & 63), 1);
    store<u8>(out, 0x80 | (point & 63), 2);
    return out + 3;
  }
  store<u8>(out, 0xf0 | (point >> 18));
  store<u8>(out, 0x80 | ((point >> 12) & 63), 1);
  store<u8>(out, 0x80 | ((point >> 6) & 63), 2);
  store<u8>(out, 0x80 | (point & 63), 3);
  return out + 4;
}

/** The value of four hex digits, or less than 0. */
function unitAt(text: usize, index: u32, length: u32): i32 {
  const high = byteAt(text, index, length);
  const low = byteAt(text, index + 2, length);
  return high < 0 || low < 0 ? -1 : (high << 8) | low;
}

/** The value of two hex digits, or less than 0. */
function byteAt(text: usize, index: u32, length: u32): i32 {
  if (index + 2 > length) return -1;
  const values = kinds + HEX_VALUES;
  const high = <i32>load<i8>(values + <u32>load<u8>(text + index));
  const low = <i32>load<i8>(values + <u32>load<u8>(text + index + 1));
  return high < 0 || low < 0 ? -1 : (high << 4) | low;
}

function lineStart(text: usize, index: u32): u32 {
  while (index > 0 && <u32>load<u8>(text + index - 1) != 10) index--;
  return index;
}

function lineEnd(text: usize, index: u32, length: u32): u32 {
  while (index < length && <u32>load<u8>(text + index) != 10) index++;
  return index;
}
