// Inflates gzip streams (RFC 1951, 1952) where they lie, and searches what comes out while it comes out. A stream in
// memory is often cut short or overwritten at its end: all that can be decoded before is searched. Checksums don't count.
// What comes out is counted over all depths: the host ends the scan where a little unpacks to no end.
import { AREA_FROM, AREA_TO, GZIP, INFLATE_TABLES, SLACK } from './abi';
import { onCut, onMore, onSpent } from './host';
import { construct, countsOf, decodeSlowly, FAST_BITS, fastOf } from './huffman';
import { search } from './search';
import { areaBytes, areaOf, codes, frameOf, madeBy } from './state';

/** What a stream or a block costs at least, in bytes that come out: tables are made for it. */
const SETUP_COST: u32 = 2048;

/** The host is told of costs once they are this high. */
const TELL_AT: u32 = 1024 * 1024;

/** What stays in the area when it is full: the 32 KiB that a copy may reach back, and context on both sides. */
const KEEP: usize = 64 * 1024;
const CONTEXT: usize = KEEP / 2;

/** In the tables of one depth: code lengths, literal code, distance code. */
const LENGTHS: usize = 0;
const LITERALS: usize = 512;
const DISTANCES: usize = 4096;

// The stream that is being inflated. A stream inside it takes their place for a while (`flush`).
let input: usize = 0;
let inputEnd: usize = 0;
let buffer: u64 = 0;
let buffered: u32 = 0;
let isDry: bool = false;
let depth: u32 = 0;
let start: usize = 0;
let area: usize = 0;
let output: usize = 0;
let produced: u32 = 0;
let windows: u32 = 0;

// Of the stream of `gunzipOn`, at depth 0: where its bytes are read to, and how many were read before those there now.
let goesOn: bool = false;
let first: usize = 0;
let before: usize = 0;

/** What was spent since the host was told. */
let spent: u32 = 0;

// @ts-ignore: decorator
@inline
function tablesOf(depth: u32): usize {
  return codes + (<usize>depth) * INFLATE_TABLES;
}

/** Inflates and searches the gzip stream at `at` of depth 0; asks the host for more where its bytes end. */
export function gunzipOn(at: usize, to: usize): void {
  goesOn = true;
  first = at;
  before = 0;
  gunzip(0, at, to);
  goesOn = false;
  before = 0;
}

/** Inflates and searches the gzip stream at `at`. Returns the end of a whole one, otherwise 0. */
export function gunzip(inDepth: u32, at: usize, to: usize): usize {
  const content = contentOf(at, to);
  if (content == 0) return 0;
  depth = inDepth;
  start = at;
  input = content;
  inputEnd = to;
  buffer = 0;
  buffered = 0;
  isDry = false;
  area = areaOf(inDepth + 1);
  output = area;
  produced = 0;
  windows = 0;
  const isWhole = blocks();
  if (isDry) onCut(inDepth, at);
  spend(SETUP_COST + <u32>(input - min(input, at)));
  const end = input - (buffered >> 3) + 8;
  if (output > area) searchArea(true);
  return isWhole ? min(end, to) : 0;
}

/** Where the compressed data begins, behind the optional parts of the header. 0 where the header is cut. */
function contentOf(at: usize, to: usize): usize {
  const flags = load<u8>(at, 3);
  let content = at + 10;
  if (flags & 4) {
    if (content + 2 > to) return 0;
    content += 2 + <usize>load<u16>(content);
  }
  for (let text = 8; text <= 16; text <<= 1) {
    if (!(flags & text)) continue;
    while (content < to && load<u8>(content) != 0) content++;
    content++;
  }
  if (flags & 2) content += 2;
  return content < to ? content : 0;
}

function blocks(): bool {
  while (true) {
    const isLast = take(1);
    const kind = take(2);
    if (isDry) return false;
    spend(SETUP_COST);
    let isRight = false;
    if (kind == 0) isRight = stored();
    else if (kind == 1) isRight = fixed();
    else if (kind == 2) isRight = dynamic();
    if (!isRight || isDry) return false;
    if (isLast) return true;
  }
}

function stored(): bool {
  take(buffered & 7);
  const length = take(16);
  const complement = take(16);
  if (isDry || length != (~complement & 0xffff)) return false;
  for (let index: u32 = 0; index < length; index++) {
    const byte = take(8);
    if (isDry) return false;
    put(byte);
  }
  return true;
}

function fixed(): bool {
  const tables = tablesOf(depth);
  for (let symbol: u32 = 0; symbol < 288; symbol++) {
    store<u8>(tables + symbol, symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8);
  }
  construct(tables + LITERALS, tables + LENGTHS, 288);
  memory.fill(tables, 5, 30);
  construct(tables + DISTANCES, tables + LENGTHS, 30);
  return data();
}

function dynamic(): bool {
  const tables = tablesOf(depth);
  const literalCount = take(5) + 257;
  const distanceCount = take(5) + 1;
  const lengthCount = take(4) + 4;
  if (isDry || literalCount > 286 || distanceCount > 30) return false;
  memory.fill(tables, 0, 320);
  for (let index: u32 = 0; index < lengthCount; index++) store<u8>(tables + orderOf(index), take(3));
  if (!construct(tables + LITERALS, tables, 19)) return false;
  const total = literalCount + distanceCount;
  // The lengths replace those that they are coded with, whose code is built already.
  for (let index: u32 = 0; index < total; ) {
    let symbol = decode(tables + LITERALS);
    if (isDry || symbol < 0) return false;
    if (symbol < 16) {
      store<u8>(tables + index++, symbol);
      continue;
    }
    let repeat: u32 = 0;
    let length: u32 = 0;
    if (symbol == 16) {
      if (index == 0) return false;
      length = load<u8>(tables + index - 1);
      repeat = 3 + take(2);
    } else repeat = symbol == 17 ? 3 + take(3) : 11 + take(7);
    if (isDry || index + repeat > total) return false;
    memory.fill(tables + index, <u8>length, repeat);
    index += repeat;
  }
  if (load<u8>(tables, 256) == 0) return false;
  if (!construct(tables + DISTANCES, tables + literalCount, distanceCount)) return false;
  return construct(tables + LITERALS, tables, literalCount) && data();
}

function orderOf(index: u32): u32 {
  // 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1 15
  if (index < 3) return 16 + index;
  if (index == 3) return 0;
  const step = (index - 2) >> 1;
  return index & 1 ? 8 - step : 7 + step;
}

function data(): bool {
  const tables = tablesOf(depth);
  while (true) {
    const symbol = decode(tables + LITERALS);
    if (isDry || symbol < 0) return false;
    if (symbol < 256) {
      put(symbol);
      continue;
    }
    if (symbol == 256) return true;
    if (symbol > 285) return false;
    const length = lengthOf(symbol - 257);
    const code = decode(tables + DISTANCES);
    if (isDry || code < 0 || code > 29) return false;
    const extra: u32 = code < 2 ? 0 : (code >> 1) - 1;
    const base: u32 = code < 2 ? code : (2 + (code & 1)) << extra;
    const distance: u32 = 1 + base + take(extra);
    if (isDry || distance > produced) return false;
    for (let index: u32 = 0; index < length; index++) put(<u32>load<u8>(output - distance));
  }
}

function lengthOf(code: u32): u32 {
  if (code < 8) return 3 + code;
  if (code == 28) return 258;
  const extra = (code >> 2) - 1;
  return 3 + ((4 + (code & 3)) << extra) + take(extra);
}

/** The next symbol, less than 0 where the bits are none. */
function decode(code: usize): i32 {
  refill();
  const entry = <u32>load<u16>(fastOf(code) + (((<u32>buffer) & ((1 << FAST_BITS) - 1)) << 1));
  let size = entry & 15;
  let symbol = <i32>(entry >> 4);
  if (size == 0) {
    const slow = decodeSlowly(countsOf(code), <u32>buffer);
    if (slow < 0) {
      if (buffered < 15) isDry = true;
      return -1;
    }
    size = slow & 15;
    symbol = slow >> 4;
  }
  if (size > buffered) {
    isDry = true;
    return -1;
  }
  buffer >>= size;
  buffered -= size;
  return symbol;
}

function refill(): void {
  while (buffered <= 56) {
    if (input == inputEnd && !more()) return;
    buffer |= (<u64>load<u8>(input++)) << buffered;
    buffered += 8;
  }
}

/** Takes the next bytes of a stream of depth 0 that is longer than what is read at once. */
function more(): bool {
  if (!goesOn || depth != 0) return false;
  const bytes = onMore();
  if (bytes == 0) {
    goesOn = false;
    return false;
  }
  before += inputEnd - first;
  input = first;
  inputEnd = first + bytes;
  return true;
}

function spend(bytes: u32): void {
  spent += bytes;
  if (spent < TELL_AT) return;
  const told = spent;
  spent = 0;
  onSpent(depth, start, told);
}

/** The next `size` bits, up to 16. */
function take(size: u32): u32 {
  refill();
  if (size > buffered) {
    isDry = true;
    return 0;
  }
  const bits = <u32>buffer & ((1 << size) - 1);
  buffer >>= size;
  buffered -= size;
  return bits;
}

function put(byte: u32): void {
  store<u8>(output++, byte);
  if (output == area + areaBytes - SLACK) flush();
  produced++;
}

/** Searches a full area and goes on behind its last bytes. A stream inside may be inflated meanwhile. */
function flush(): void {
  const saved0 = input;
  const saved1 = inputEnd;
  const saved2 = buffer;
  const saved3 = buffered;
  const saved4 = depth;
  const saved5 = start;
  const saved6 = area;
  const saved7 = output;
  const saved8 = produced;
  const saved9 = windows;
  searchArea(false);
  input = saved0;
  inputEnd = saved1;
  buffer = saved2;
  buffered = saved3;
  isDry = false;
  depth = saved4;
  start = saved5;
  area = saved6;
  produced = saved8;
  windows = saved9 + 1;
  memory.copy(area, saved7 - KEEP, KEEP);
  output = area + KEEP;
}

function searchArea(isLast: bool): void {
  const end = output;
  spend(<u32>(end - area) - (windows > 0 ? <u32>KEEP : 0));
  madeBy(depth, GZIP, 0, <u32>start, <u32>(input + (depth == 0 ? before : 0) - (buffered >> 3)));
  const frame = frameOf(depth + 1);
  if (windows > 0) store<u32>(frame, <u32>(area + CONTEXT), AREA_FROM);
  if (!isLast) store<u32>(frame, <u32>(end - CONTEXT), AREA_TO);
  search(depth + 1, area, end);
}
