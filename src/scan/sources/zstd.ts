import { damaged } from './damage.ts';
import { type Reader, type StoredFile, withReader } from './stored.ts';

/** A frame with data, as byte offsets in the file, end exclusive. */
export interface Frame {
  start: number;
  end: number;
}

const FRAME = 0xfd2fb528;
const SKIPPED = 0x184d2a50;

/** Compressors that write many frames write them of a MiB or so. */
const MOST_FRAMES = 100_000;

/** Whether a file that begins with these bytes is zstd. Parallel compressors begin with a frame that is skipped. */
export function isZstd(head: Buffer): boolean {
  if (head.length < 4) return false;
  const magic = head.readUInt32LE(0);
  return magic === FRAME || isSkipped(magic);
}

/**
 * The frames of a zstd file (RFC 8878, section 3.1), by their headers: Node.js ends silently after the first frame, so
 * each is unpacked by itself. `broken` where the file breaks off or something else follows.
 */
export function framesOf(file: StoredFile): { frames: Frame[]; broken: boolean } {
  return withReader(file, (reader) => {
    const frames: Frame[] = [];
    for (let at = 0; at < file.size; ) {
      const magic = at + 4 <= file.size ? reader.read(at, 4).readUInt32LE(0) : 0;
      let end: number;
      if (isSkipped(magic)) {
        end = at + 8 <= file.size ? at + 8 + reader.read(at + 4, 4).readUInt32LE(0) : Number.POSITIVE_INFINITY;
      } else {
        end = magic === FRAME ? endOfFrame(reader, at, file.size) : Number.NaN;
        if (!Number.isNaN(end)) frames.push({ start: at, end: Math.min(end, file.size) });
      }
      if (!(end <= file.size)) return { frames, broken: true };
      if (frames.length > MOST_FRAMES) throw damaged(file.name, 'it has too many zstd frames');
      at = end;
    }
    return { frames, broken: false };
  });
}

/** Offset behind the frame that begins at `at`: infinite where the file ends before, NaN where it is no frame. */
function endOfFrame(reader: Reader, at: number, size: number): number {
  const bytes = (offset: number, length: number) => (offset + length <= size ? reader.read(offset, length) : undefined);
  const descriptor = bytes(at + 4, 1)?.[0];
  if (descriptor === undefined) return Number.POSITIVE_INFINITY;
  const single = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  let offset = at + 5 + (single ? 0 : 1) + dictionary + contentSize;
  for (let last = false; !last; ) {
    const header = bytes(offset, 3)?.readUIntLE(0, 3);
    if (header === undefined) return Number.POSITIVE_INFINITY;
    const type = (header >> 1) & 3;
    if (type === 3) return Number.NaN;
    last = (header & 1) !== 0;
    // A block of one repeated byte stores that byte only.
    offset += 3 + (type === 1 ? 1 : header >> 3);
  }
  return offset + (descriptor & 4 ? 4 : 0);
}

function isSkipped(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === SKIPPED;
}
