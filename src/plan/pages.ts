import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import xxhash from 'xxhash-wasm';
import { PAGE } from './format.ts';
import type { Source } from './images.ts';

const BUFFER = 1 << 20;

/** Rounds up to whole pages. */
export function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}

/** Where everything lies in the pages file, in ascending order; what lies between is zero. */
export class PagesLayout {
  readonly #pieces: { at: number; source: Source }[] = [];
  #end = 0;

  /** Bytes of the file so far. */
  get end(): number {
    return this.#end;
  }

  /** Keeps bytes at the file's end and returns their offset, a multiple of a page. */
  reserve(bytes: number): number {
    const at = this.#end;
    this.#end += pages(bytes);
    return at;
  }

  /** Puts content where room was kept for it. */
  put(at: number, source: Source): void {
    if (source.bytes > 0) this.#pieces.push({ at, source });
  }

  /** Keeps room for content, and puts it there. */
  add(source: Source): number {
    const at = this.reserve(source.bytes);
    this.put(at, source);
    return at;
  }

  /**
   * Writes the file from the image files in a folder. Returns XXH64 with seed 0 of its first `hotBytes` bytes and of all;
   * what is zero is left out of the file, not of the digests.
   */
  async write(path: string, images: string, hotBytes: number): Promise<{ hotHash: bigint; pagesHash: bigint }> {
    const { create64 } = await xxhash();
    const [hot, all] = [create64(), create64()];
    const buffer = Buffer.allocUnsafe(BUFFER);
    const zeros = Buffer.alloc(BUFFER);
    const files = new Map<string, FileHandle>();
    const output = await open(path, 'w');
    let done = 0;
    const pass = (bytes: Buffer) => {
      if (done < hotBytes) hot.update(bytes.subarray(0, hotBytes - done));
      all.update(bytes);
      done += bytes.length;
    };
    const skip = (end: number) => {
      while (done < end) pass(zeros.subarray(0, end - done));
    };
    try {
      for (const { at, source } of this.#pieces) {
        skip(at);
        const file = files.get(source.file) ?? (await open(join(images, source.file)));
        files.set(source.file, file);
        for (let copied = 0; copied < source.bytes; ) {
          const length = Math.min(BUFFER, source.bytes - copied);
          const { bytesRead } = await file.read(buffer, 0, length, source.offset + copied);
          if (bytesRead === 0) throw new Error(`${source.file} is cut off`);
          await output.write(buffer, 0, bytesRead, done);
          pass(buffer.subarray(0, bytesRead));
          copied += bytesRead;
        }
      }
      skip(this.#end);
      await output.truncate(this.#end);
    } finally {
      await Promise.all([output, ...files.values()].map((file) => file.close()));
    }
    return { hotHash: hot.digest(), pagesHash: all.digest() };
  }
}
