/** Magic numbers of CRIU's images (criu/include/magic.h). */
export const MAGIC = {
  common: 0x54564319,
  service: 0x55105940,
  pagemap: 0x56084025,
  remapFilePath: 0x59133954,
  socketQueues: 0x56264026,
  pipesData: 0x56453709,
  core: 0x55053847,
  memory: 0x57492820,
  processTree: 0x50273030,
  files: 0x56303138,
  inventory: 0x58313116,
} as const;

/** Fields of a protobuf message by number, all of them integers. */
export type Fields = Record<number, number | bigint>;

/** The beginning of an image file: the common magic number and the image's own. */
export function image(magic: number): Buffer {
  const magics = Buffer.alloc(8);
  magics.writeUInt32LE(MAGIC.common, 0);
  magics.writeUInt32LE(magic, 4);
  return magics;
}

/** A message as images hold it, behind its length. */
export function message(body: Fields | Buffer): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : integers(body);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/** Integer fields of a message. */
export function integers(fields: Fields): Buffer {
  return Buffer.from(
    Object.entries(fields).flatMap(([number, value]) => [...varint(BigInt(number) << 3n), ...varint(BigInt(value))]),
  );
}

/** A field of bytes, a text or another message. */
export function bytesField(number: number, content: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([...varint((BigInt(number) << 3n) | 2n), ...varint(BigInt(content.length))]),
    content,
  ]);
}

/** A `pagemap-*.img` for `pages-<pagesId>.img`. */
export function pagemap(pagesId: number, entries: readonly Fields[]): Buffer {
  return Buffer.concat([image(MAGIC.pagemap), ...[{ 1: pagesId }, ...entries].map(message)]);
}

/** An entry as CRIU 4.2 writes it: the count in field 5, zero in field 2, PE_PRESENT. */
export function present(address: number | bigint, pages: number): Fields {
  return { 1: address, 2: 0, 4: 4, 5: pages };
}

function varint(value: bigint): number[] {
  return value < 0x80n ? [Number(value)] : [Number(value & 0x7fn) | 0x80, ...varint(value >> 7n)];
}
