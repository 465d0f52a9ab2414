/** Bytes that may come out of compressed data in the bytes of a job: so many at least, and so many times what was read. */
const BASE = 128 * 1024 * 1024;
const RATIO = 64;

/**
 * What decompression may cost, in bytes, over all depths. A little that unpacks to no end, as streams in streams do,
 * would take the scan hours; real data stays far below this.
 */
export class Budget {
  private left = 0;
  private reached = 0;

  /** A new job begins at this offset. */
  begin(offset: number): void {
    this.left = BASE;
    this.reached = offset;
  }

  /** Bytes of the job's file up to this offset were read. */
  reach(offset: number): void {
    this.left += RATIO * Math.max(0, offset - this.reached);
    this.reached = Math.max(offset, this.reached);
  }

  /** False where that is more than there was left. */
  spend(bytes: number): boolean {
    this.left -= bytes;
    return this.left >= 0;
  }
}
