import { createReadStream } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';

/** Size of a file, and of it compressed as one stream, as a registry stores a layer; in bytes. */
export async function compressedSize(
  file: string,
  method: 'gzip' | 'zstd',
  level: number,
): Promise<{ read: number; written: number }> {
  const compress =
    method === 'gzip'
      ? createGzip({ level })
      : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } });
  const source = createReadStream(file, { highWaterMark: 1 << 20 });
  let written = 0;
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written += chunk.length;
      done();
    },
  });
  await pipeline(source, compress, count);
  return { read: source.bytesRead, written };
}
