// One pass over a text: keywords, literals, and whether it holds something that could be decoded.
import { onText } from './host';
import { accepts, classes, firstAccepting, hits, kinds, literals, MAX_HITS, tellAll, transitions } from './state';

// Bits of the table `kinds`.
export const IN_BASE64: u32 = 1;
export const IN_HEX: u32 = 2;
export const IS_PERCENT: u32 = 4;
export const IS_BACKSLASH: u32 = 8;
/** Result of `match` only: there is a stretch of base64 characters that is worth decoding. */
export const HAS_STRETCH: u32 = 16;

/** Shortest stretch of base64 or hex that is decoded, in characters. */
export const MIN_STRETCH: u32 = 16;

const KEYWORD: u32 = 0xffffffff;
const HEADER: u32 = 0xfffffffe;

/** Tells the host of a text where it holds a pattern. Returns the bits of what in it could be decoded. */
export function match(depth: u32, text: usize, length: u32): u32 {
  let state: u32 = 0;
  let seen: u32 = 0;
  let stretch: u32 = 0;
  let longest: u32 = 0;
  let flags: u32 = tellAll ? 1 : 0;
  let count: u32 = 0;
  for (let index: u32 = 0; index < length; index++) {
    const char = <u32>load<u8>(text + index);
    const kind = <u32>load<u8>(kinds + char);
    seen |= kind;
    stretch = (stretch + 1) & -(kind & IN_BASE64);
    longest = max(longest, stretch);
    state = <u32>load<u16>(transitions + (state << 7) + (<u32>load<u8>(classes + char) << 1));
    if (state < firstAccepting) continue;
    let list: usize = load<u32>(accepts + ((state - firstAccepting) << 2));
    const end = list + 4 + (load<u32>(list) << 2);
    for (list += 4; list < end; list += 4) {
      const pattern = load<u32>(list);
      if (pattern == KEYWORD) flags |= 1;
      else if (pattern == HEADER) flags |= 2;
      else {
        const start = index + 1 - load<u32>(literals + pattern * 12, 8);
        if (!isLiteral(pattern, text, start, length)) continue;
        if (count == MAX_HITS) {
          onText(depth, 0, count);
          count = 0;
        }
        store<u32>(hits + (count << 3), pattern);
        store<u32>(hits + (count << 3), start, 4);
        count++;
      }
    }
  }
  if ((flags | count) != 0) onText(depth, flags, count);
  return seen | (longest >= MIN_STRETCH ? HAS_STRETCH : 0);
}

/** The automaton knows but the lower-cased beginning. */
function isLiteral(literal: u32, text: usize, start: u32, length: u32): bool {
  const entry = literals + literal * 12;
  const bytes = load<u32>(entry, 4);
  if (bytes > length - start) return false;
  return memory.compare(text + start, load<u32>(entry), bytes) == 0;
}
