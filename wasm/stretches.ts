// Stretches of base64, base64url and hex inside a text. Where they begin is not known (a word may stand right before
// them), so each is decoded from all places that give other bytes. What is no text afterwards is dropped by `search`.
import { BASE64, BASE64_VALUES, HEX, HEX_VALUES, IN_BASE64, IN_HEX } from './abi';
import { MIN_STRETCH } from './automaton';
import { search } from './search';
import { areaOf, kinds, madeBy } from './state';

/** A line of base64 that is as long as this may go on in the next one. */
const MIN_LINE: u32 = 60;

/** Bits of the table of values that say a line break. */
const LINE_BREAK: u32 = 0x40;

export function decodeBase64(depth: u32, text: usize, length: u32): void {
  let index: u32 = 0;
  while (index < length) {
    if (!(<u32>load<u8>(kinds + <u32>load<u8>(text + index)) & IN_BASE64)) {
      index++;
      continue;
    }
    const from = index;
    let line = index;
    let to = index;
    for (; index < length; index++) {
      const char = <u32>load<u8>(text + index);
      if (<u32>load<u8>(kinds + char) & IN_BASE64) {
        to = index + 1;
        continue;
      }
      if (char != 10 && char != 13) break;
      // The second character of CR LF ends an empty line.
      if (index != line && index - line < MIN_LINE) break;
      line = index + 1;
    }
    if (to - from < MIN_STRETCH) continue;
    for (let phase: u32 = 0; phase < 4; phase++) {
      const area = areaOf(depth + 1);
      const end = base64(text, from, to, phase, area);
      madeBy(depth, BASE64, phase, from, to);
      search(depth + 1, area, end);
    }
  }
}

/** Decodes [from, to) of a text without its first `phase` characters. Returns the end of what it wrote. */
function base64(text: usize, from: u32, to: u32, phase: u32, out: usize): usize {
  const values = kinds + BASE64_VALUES;
  let pending: u32 = 0;
  let count: u32 = 0;
  let skip = phase;
  for (let index = from; index < to; index++) {
    const value = <u32>load<u8>(values + <u32>load<u8>(text + index));
    if (value >= LINE_BREAK) continue;
    if (skip != 0) {
      skip--;
      continue;
    }
    pending = (pending << 6) | value;
    if (++count == 4) {
      store<u8>(out, pending >> 16);
      store<u8>(out, pending >> 8, 1);
      store<u8>(out, pending, 2);
      out += 3;
      count = 0;
    }
  }
  if (count >= 2) store<u8>(out++, count == 2 ? pending >> 4 : pending >> 10);
  if (count == 3) store<u8>(out++, pending >> 2);
  return out;
}

export function decodeHex(depth: u32, text: usize, length: u32): void {
  const values = kinds + HEX_VALUES;
  for (let index: u32 = 0; index < length; index++) {
    const from = index;
    while (index < length && <u32>load<u8>(kinds + <u32>load<u8>(text + index)) & IN_HEX) index++;
    if (index - from < MIN_STRETCH) continue;
    for (let phase: u32 = 0; phase < 2; phase++) {
      const area = areaOf(depth + 1);
      let out = area;
      for (let digit = from + phase; digit + 1 < index; digit += 2) {
        const high = <u32>load<u8>(values + <u32>load<u8>(text + digit));
        store<u8>(out++, (high << 4) | <u32>load<u8>(values + <u32>load<u8>(text + digit + 1)));
      }
      madeBy(depth, HEX, phase, from, index);
      search(depth + 1, area, out);
    }
  }
}
