// One pass over a text: keywords, literals, and whether it holds something that could be decoded.
import {
  CLASSES,
  ENCODING_HEADER,
  HAS_ENCODING_HEADER,
  HAS_KEYWORD,
  HIT_BYTES,
  HIT_START,
  IN_BASE64,
  KEYWORD,
  LITERAL_BYTES,
  LITERAL_LENGTH,
  LITERAL_PREFIX,
  MAX_HITS,
} from './abi';
import { onText } from './host';
import { accepts, classes, firstAccepting, hits, kinds, literals, tellAll, transitions } from './state';

/** Beside the bits of the table of kinds: there is a stretch of base64 characters that is worth decoding. */
export const HAS_STRETCH: u32 = 16;

/** Shortest stretch of base64 or hex that is decoded, in characters. */
export const MIN_STRETCH: u32 = 16;

/** Bytes of the transitions of one state. */
const ROW: u32 = CLASSES * 2;

/** Tells the host of a text where it holds a pattern. Returns the bits of what in it could be decoded. */
export function match(depth: u32, text: usize, length: u32): u32 {
  let state: u32 = 0;
  let seen: u32 = 0;
  let stretch: u32 = 0;
  let longest: u32 = 0;
  let flags: u32 = tellAll ? HAS_KEYWORD : 0;
  let count: u32 = 0;
  for (let index: u32 = 0; index < length; index++) {
    const char = <u32>load<u8>(text + index);
    const kind = <u32>load<u8>(kinds + char);
    seen |= kind;
    stretch = (stretch + 1) & -(kind & IN_BASE64);
    longest = max(longest, stretch);
    state = <u32>load<u16>(transitions + state * ROW + (<u32>load<u8>(classes + char) << 1));
    if (state < firstAccepting) continue;
    let list: usize = load<u32>(accepts + ((state - firstAccepting) << 2));
    const end = list + 4 + (load<u32>(list) << 2);
    for (list += 4; list < end; list += 4) {
      const pattern = load<u32>(list);
      if (pattern == KEYWORD) flags |= HAS_KEYWORD;
      else if (pattern == ENCODING_HEADER) flags |= HAS_ENCODING_HEADER;
      else {
        const start = index + 1 - load<u32>(literals + pattern * LITERAL_BYTES, LITERAL_PREFIX);
        if (!isLiteral(pattern, text, start, length)) continue;
        if (count == MAX_HITS) {
          onText(depth, 0, count);
          count = 0;
        }
        store<u32>(hits + count * HIT_BYTES, pattern);
        store<u32>(hits + count * HIT_BYTES, start, HIT_START);
        count++;
      }
    }
  }
  if ((flags | count) != 0) onText(depth, flags, count);
  return seen | (longest >= MIN_STRETCH ? HAS_STRETCH : 0);
}

/** The automaton knows but the lower-cased beginning. */
function isLiteral(literal: u32, text: usize, start: u32, length: u32): bool {
  const entry = literals + literal * LITERAL_BYTES;
  const bytes = load<u32>(entry, LITERAL_LENGTH);
  if (bytes > length - start) return false;
  return memory.compare(text + start, load<u32>(entry), bytes) == 0;
}
