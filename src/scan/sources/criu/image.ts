import { damaged } from '../damage.ts';
import { type Fields, fieldsOf } from '../protobuf.ts';
import { type StoredFile, withReader } from '../stored.ts';

// criu/include/magic.h: every protobuf image starts with the common magic and its own.
const IMG_COMMON_MAGIC = 0x54564319;

/** The own magic of the images that are read here. */
const MAGIC = {
  pagemap: 0x56084025,
  mm: 0x57492820,
  core: 0x55053847,
  pstree: 0x50273030,
  files: 0x56303138,
  regFiles: 0x50363636,
  memfd: 0x48453499,
} as const;

export type ImageKind = keyof typeof MAGIC;

/** No image that is read whole comes near these; a damaged or foreign one must not fill the memory. */
const MOST_BYTES = 128 * 1024 * 1024;
const MOST_RECORDS = 4_000_000;

/**
 * The records of a CRIU image: two u32 magics, then `u32 size` + protobuf message each (criu.org/Images).
 * Throws DS4002 where it is no such image, or not whole.
 */
function* recordsOf(image: Buffer, kind: ImageKind, file: string): Generator<Fields> {
  if (image.length < 8 || image.readUInt32LE(0) !== IMG_COMMON_MAGIC || image.readUInt32LE(4) !== MAGIC[kind]) {
    throw damaged(file, `this is not a CRIU ${kind} image`);
  }
  let count = 0;
  for (let at = 8; at < image.length; ) {
    const end = at + 4 <= image.length ? at + 4 + image.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (end > image.length) throw damaged(file, 'it is cut short');
    if (++count > MOST_RECORDS) throw damaged(file, 'it has too many records');
    yield fieldsOf(image.subarray(at + 4, end), file);
    at = end;
  }
}

/** The records of an image file, see `recordsOf`. */
export function* recordsIn(file: StoredFile, kind: ImageKind): Generator<Fields> {
  if (file.size > MOST_BYTES) throw damaged(file.name, 'it is too large for what it is');
  yield* recordsOf(
    withReader(file, (reader) => reader.read(0, file.size)),
    kind,
    file.name,
  );
}

/** The first record of an image that has one record. Throws DS4002 where there is none. */
export function onlyRecordIn(file: StoredFile, kind: ImageKind): Fields {
  const { value } = recordsIn(file, kind).next();
  if (value === undefined) throw damaged(file.name, 'it is empty');
  return value;
}
