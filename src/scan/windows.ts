import { readSync } from 'node:fs';
import type { Extent } from './extents.ts';
import { damaged } from './pagemap.ts';

/** A view of part of an extent. What starts in `[from, to)` belongs to this window; the rest is context. */
export interface Window {
  bytes: Buffer;
  /** Offset of the first byte in the file. */
  offset: number;
  /** Offsets in the file. The windows of an extent cover it without a gap and without overlap. */
  from: number;
  to: number;
}

/** Bytes read at a time, context not counted. */
export const WINDOW_BYTES = 4 * 1024 * 1024;

/**
 * Reads an extent in windows that share one buffer, so each is valid until the next is asked for.
 * Every window carries up to `overlap` bytes of context on both sides: whatever is no longer than that is whole in
 * the window that it starts in, and a match that began in the window before is recognised and not counted twice.
 * Throws DS4002 when the file ends early.
 */
export function* windowsOf(
  fd: number,
  file: string,
  extent: Extent,
  buffer: Buffer,
  overlap: number,
): Generator<Window> {
  const end = extent.offset + extent.length;
  for (let from = extent.offset; from < end; from += WINDOW_BYTES) {
    const to = Math.min(from + WINDOW_BYTES, end);
    const offset = Math.max(extent.offset, from - overlap);
    const bytes = buffer.subarray(0, Math.min(to + overlap, end) - offset);
    readFully(fd, file, bytes, offset);
    yield { bytes, offset, from, to };
  }
}

/** A buffer large enough for any window with this overlap. */
export function windowBuffer(overlap: number): Buffer {
  return Buffer.allocUnsafe(WINDOW_BYTES + 2 * overlap);
}

function readFully(fd: number, file: string, bytes: Buffer, offset: number): void {
  let got = 0;
  while (got < bytes.length) {
    let count: number;
    try {
      count = readSync(fd, bytes, got, bytes.length - got, offset + got);
    } catch (error) {
      throw damaged(file, 'it can not be read', String(error));
    }
    if (count === 0) throw damaged(file, `it ends at byte ${offset + got}, before its last page`);
    got += count;
  }
}
