import { SnapshotError } from '../errors.ts';

/** One stretch of a process's memory (or of a shared-memory segment), as CRIU's `pagemap_entry` tells it. */
export interface PagemapEntry {
  /** Virtual address of the first page; in a shared-memory pagemap the offset in the segment. */
  address: bigint;
  pages: number;
  /** Its pages are in the pages file. */
  present: boolean;
  /** Its pages are in the pages file of an earlier, parent dump. */
  inParent: boolean;
}

/** A decoded `pagemap-*.img`: which memory the pages of `pages-<pagesId>.img` are, in file order. */
export interface Pagemap {
  pagesId: number;
  entries: PagemapEntry[];
}

// criu/include/magic.h: every protobuf image starts with the common magic and its own.
const IMG_COMMON_MAGIC = 0x54564319;
const PAGEMAP_MAGIC = 0x56084025;

// criu/include/pagemap.h
const PE_PARENT = 1n << 0n;
const PE_PRESENT = 1n << 2n;

/** DS4002 for an image file that can't be read whole: what is not read can't be called clean. */
export function damaged(file: string, why: string, detail?: string): SnapshotError {
  return new SnapshotError('DS4002', `${file}: ${why}`, detail === undefined ? {} : { detail });
}

/**
 * Decodes a `pagemap-<pid>.img` or `pagemap-shmem-<id>.img`: two u32 magics, then `u32 size` + protobuf message,
 * the first a `pagemap_head`, all others `pagemap_entry` (CRIU 4.2, images/pagemap.proto).
 * `file` is the name for errors; throws DS4002 on anything that is not whole.
 */
export function parsePagemap(image: Buffer, file: string): Pagemap {
  if (image.length < 8 || image.readUInt32LE(0) !== IMG_COMMON_MAGIC || image.readUInt32LE(4) !== PAGEMAP_MAGIC) {
    throw damaged(file, 'this is not a CRIU pagemap image');
  }
  const [head, ...rest] = messagesOf(image, file);
  const pagesId = head?.get(1);
  if (pagesId === undefined) throw damaged(file, 'the pagemap has no head');
  const entries = rest.map((fields): PagemapEntry => {
    const address = fields.get(1);
    // Field 5 is the count since CRIU 4.2; field 2, its 32-bit forerunner, is required and then 0.
    const pages = fields.get(5) ?? fields.get(2);
    if (address === undefined || pages === undefined) throw damaged(file, 'a pagemap entry has no address or count');
    const flags = fields.get(4);
    const inParent = fields.get(3) === 1n || ((flags ?? 0n) & PE_PARENT) !== 0n;
    // An entry without flags is of a CRIU that wrote only present pages and `in_parent`.
    const present = flags === undefined ? !inParent : (flags & PE_PRESENT) !== 0n;
    return { address, pages: Number(pages), present, inParent };
  });
  return { pagesId: Number(pagesId), entries };
}

/** The length-prefixed messages after the magics, each as its integer fields. */
function messagesOf(image: Buffer, file: string): Map<number, bigint>[] {
  const messages: Map<number, bigint>[] = [];
  let at = 8;
  while (at < image.length) {
    const end = at + 4 <= image.length ? at + 4 + image.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (end > image.length) throw damaged(file, 'the pagemap is cut short');
    messages.push(integerFields(image.subarray(at + 4, end), file));
    at = end;
  }
  return messages;
}

/** The varint fields of one protobuf message by number; fields of other wire types are skipped. */
function integerFields(message: Buffer, file: string): Map<number, bigint> {
  const fields = new Map<number, bigint>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw damaged(file, 'the pagemap holds a broken number');
  };
  while (at < message.length) {
    const tag = Number(varint());
    const wireType = tag & 7;
    if (wireType === 0) fields.set(tag >>> 3, varint());
    else if (wireType === 1) at += 8;
    else if (wireType === 2) at += Number(varint());
    else if (wireType === 5) at += 4;
    else throw damaged(file, 'the pagemap holds an unknown kind of field');
  }
  if (at > message.length) throw damaged(file, 'a pagemap entry is cut short');
  return fields;
}
