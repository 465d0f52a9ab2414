import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

const DECODERS: Record<string, (body: Uint8Array, options: { maxOutputLength: number }) => Buffer> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
};

/** Largest body after decompression, in bytes. */
const MAX_BYTES = 256 * 1024 * 1024;

/** The body without its content-encoding; as it came where the encoding is unknown. Throws where the body does not fit it. */
export function decodeBody(body: Uint8Array, encoding: string | undefined): Uint8Array {
  const decoder = encoding === undefined || body.length === 0 ? undefined : DECODERS[encoding.trim().toLowerCase()];
  return decoder ? decoder(body, { maxOutputLength: MAX_BYTES }) : body;
}
