import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** A compressed body of an HTTP message in memory. */
export interface Body {
  encoding: 'br' | 'deflate' | 'gzip';
  /** Index of its first byte behind the headers, and of the first behind it. */
  from: number;
  to: number;
  /** What it decompresses to, as far as it can be. */
  content: Buffer;
}

/** Most bytes of a body that are read and that come out. */
const MAX_COMPRESSED = 4 * 1024 * 1024;
const MAX_CONTENT = 16 * 1024 * 1024;

const CODING = /^content-encoding:[ \t]*(br|deflate|gzip|x-gzip)[ \t]*\r?$/im;

/**
 * The compressed bodies of HTTP messages whose headers are in `text`, which is that of `bytes` from `start` on.
 * Brotli and deflate have no magic, so only their header tells where they are. gzip is decoded here too where it came in
 * chunks, because their borders are inside it.
 */
export function* bodiesOf(text: string, bytes: Buffer, start: number): Generator<Body> {
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
    const content = decompress(encoding, Buffer.concat(chunks));
    // The place of the data itself: the first pass may come upon gzip's magic there.
    if (isChunked) from += (chunks[0]?.byteOffset ?? stored.byteOffset) - stored.byteOffset;
    if (content.length > 0) yield { encoding, from, to, content };
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

const options = { maxOutputLength: MAX_CONTENT, finishFlush: constants.Z_SYNC_FLUSH };
const DECOMPRESSORS: Readonly<Record<Body['encoding'], readonly ((bytes: Buffer) => Buffer)[]>> = {
  br: [
    (bytes) =>
      brotliDecompressSync(bytes, {
        maxOutputLength: MAX_CONTENT,
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
      }),
  ],
  // Servers send zlib's format, some the bare one.
  deflate: [(bytes) => inflateSync(bytes, options), (bytes) => inflateRawSync(bytes, options)],
  gzip: [(bytes) => gunzipSync(bytes, options)],
};

/** What comes out of the longest beginning that is whole: memory behind it is often overwritten. */
function decompress(encoding: Body['encoding'], bytes: Buffer): Buffer {
  let best: Buffer = Buffer.alloc(0);
  for (const decoder of DECOMPRESSORS[encoding]) {
    let good = 0;
    let bad = bytes.length + 1;
    for (let length = bytes.length; bad - good > 1; length = (good + bad) >> 1) {
      try {
        const content = decoder(bytes.subarray(0, length));
        if (content.length >= best.length) best = content;
        good = length;
      } catch {
        bad = length;
      }
    }
  }
  return best;
}
