import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** A compressed body of an HTTP message in memory. */
export interface Body {
  encoding: 'br' | 'deflate' | 'gzip';
  /** Index of its first byte behind the headers, and of the first behind it. */
  from: number;
  to: number;
  /** What it decompresses to, as far as it can be. */
  content: Buffer;
  /** It goes on behind the bytes given. */
  isCut: boolean;
  /** More comes out than `content`. */
  isTooLong: boolean;
}

/** What one attempt costs at least, in bytes that come out: a decompressor is made for it. */
const SETUP_COST = 4 * 1024;

/** So much less than what is searched do attempts count: a body that is overwritten, as most in memory are, takes twenty. */
const CHEAPER = 32;

/** Most bytes of a body that are read and that come out. */
const MAX_COMPRESSED = 4 * 1024 * 1024;
const MAX_CONTENT = 16 * 1024 * 1024;

const CODING = /^content-encoding:[ \t]*(br|deflate|gzip|x-gzip)[ \t]*\r?$/im;

/**
 * The compressed bodies of HTTP messages whose headers are in `text`, which is that of `bytes` from `start` on.
 * Brotli and deflate have no magic, so only their header tells where they are. gzip is decoded here too where it came in
 * chunks, because their borders are inside it. `spend` is told what comes out of a body, in all attempts at it.
 */
export function* bodiesOf(
  text: string,
  bytes: Buffer,
  start: number,
  spend: (at: number, bytes: number) => void,
): Generator<Body> {
  let head = 0;
  for (let blank = /\r?\n\r?\n/g, end = blank.exec(text); end !== null; end = blank.exec(text)) {
    const headers = text.slice(head, end.index);
    head = end.index + end[0].length;
    const encoding = CODING.exec(headers)?.[1]?.toLowerCase().replace('x-', '') as Body['encoding'] | undefined;
    if (encoding === undefined) continue;
    let from = start + head;
    const isChunked = /^transfer-encoding:[ \t]*chunked/im.test(headers);
    if (encoding === 'gzip' && !isChunked) continue;
    const length = Number(/^content-length:[ \t]*(\d{1,9})[ \t]*\r?$/im.exec(headers)?.[1] ?? MAX_COMPRESSED);
    const to = Math.min(bytes.length, from + Math.min(length, MAX_COMPRESSED));
    const stored = bytes.subarray(from, to);
    const chunks = isChunked ? chunksOf(stored) : [stored];
    const unpacked = decompress(encoding, Buffer.concat(chunks), (count) => spend(from, count));
    // The place of the data itself: the first pass may come upon gzip's magic there.
    if (isChunked) from += (chunks[0]?.byteOffset ?? stored.byteOffset) - stored.byteOffset;
    if (unpacked.content.length === 0 && !unpacked.isTooLong) continue;
    // Once more for the search in it.
    spend(from, unpacked.content.length);
    yield { ...unpacked, encoding, from, to, isCut: unpacked.isCut && to === bytes.length };
  }
}

/** The data of chunks, as far as there are any. */
function chunksOf(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = /^([\da-f]{1,7})(?:;[^\r\n]{0,100})?\r\n/i.exec(bytes.toString('latin1', at, at + 128));
    if (size === null) break;
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) break;
    at += size[0].length;
    chunks.push(bytes.subarray(at, at + length));
    at += length + 2;
  }
  return chunks;
}

type Decompressor = (bytes: Buffer, isWhole: boolean) => Buffer;

const options = { maxOutputLength: MAX_CONTENT };
const CUT = { ...options, finishFlush: constants.Z_SYNC_FLUSH };
const CUT_BROTLI = { ...options, finishFlush: constants.BROTLI_OPERATION_FLUSH };
const DECOMPRESSORS: Readonly<Record<Body['encoding'], readonly Decompressor[]>> = {
  br: [(bytes, isWhole) => brotliDecompressSync(bytes, isWhole ? options : CUT_BROTLI)],
  // Servers send zlib's format, some the bare one.
  deflate: [
    (bytes, isWhole) => inflateSync(bytes, isWhole ? options : CUT),
    (bytes, isWhole) => inflateRawSync(bytes, isWhole ? options : CUT),
  ],
  gzip: [(bytes, isWhole) => gunzipSync(bytes, isWhole ? options : CUT)],
};

/** What comes out of the longest beginning that is undamaged: memory behind it is often overwritten. */
function decompress(
  encoding: Body['encoding'],
  bytes: Buffer,
  spend: (bytes: number) => void,
): Pick<Body, 'content' | 'isCut' | 'isTooLong'> {
  let best = { content: Buffer.alloc(0) as Buffer, isCut: false, isTooLong: false };
  for (const decoder of DECOMPRESSORS[encoding]) {
    let isCut = false;
    let isTooLong = false;
    let content: Buffer = Buffer.alloc(0);
    const attempt = (length: number, isWhole: boolean) => {
      let code = '';
      try {
        content = decoder(bytes.subarray(0, length), isWhole);
      } catch (error) {
        code = (error as { code?: string }).code ?? 'damaged';
      }
      isTooLong ||= code === 'ERR_BUFFER_TOO_LARGE';
      spend(SETUP_COST + (code === 'ERR_BUFFER_TOO_LARGE' ? MAX_CONTENT : content.length) / CHEAPER);
      return code;
    };
    const whole = attempt(bytes.length, true);
    isCut = whole === 'Z_BUF_ERROR';
    let good = whole === '' ? bytes.length : 0;
    let bad = bytes.length + 1;
    // What is too long need not be had to the last byte.
    const most = () => (isTooLong ? 2 : 64);
    let length = isCut ? bytes.length : bytes.length >> 1;
    for (let count = 0; bad - good > 1 && count < most(); count++, length = (good + bad) >> 1) {
      if (attempt(length, false) === '') good = length;
      else bad = length;
    }
    if (isTooLong || content.length > best.content.length) best = { content, isCut, isTooLong };
    if (whole === '') break;
  }
  return best;
}
