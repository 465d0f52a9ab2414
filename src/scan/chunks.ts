import { open } from 'node:fs/promises';

/** Bytes read at once. */
const CHUNK = 4 << 20;

/**
 * The bytes of a file, in pieces that begin with the last `overlap` bytes of the piece before, with what was changed there.
 * `write` overwrites bytes in the file, at the offset in it. A piece is valid until the next is asked for.
 * Throws what the file system throws.
 */
export async function* chunksOf(
  path: string,
  overlap: number,
  flags: 'r' | 'r+' = 'r',
): AsyncGenerator<{ bytes: Buffer; offset: number; write: (what: Buffer, at: number) => Promise<void> }> {
  const file = await open(path, flags);
  try {
    const buffer = Buffer.alloc(CHUNK + overlap);
    const write = async (what: Buffer, at: number) => void (await file.write(what, 0, what.length, at));
    for (let offset = 0, kept = 0; ; ) {
      const { bytesRead } = await file.read(buffer, kept, CHUNK, offset + kept);
      if (bytesRead === 0) return;
      const bytes = buffer.subarray(0, kept + bytesRead);
      yield { bytes, offset, write };
      const next = Math.max(0, bytes.length - overlap);
      offset += next;
      kept = bytes.length - next;
      bytes.copy(buffer, 0, next);
    }
  } finally {
    await file.close();
  }
}
