/** A function of the vdso: offset and size in its code, bytes. */
export interface VdsoFunction {
  name: string;
  offset: number;
  bytes: number;
}

const SECTION_OF_DYNAMIC_SYMBOLS = 11;
const SYMBOL_BYTES = 24;
const [GLOBAL, FUNCTION] = [1, 2];

/** The global functions that a vdso’s ELF image exports; none where it has no table of sections. */
export function vdsoFunctions(image: Buffer): VdsoFunction[] {
  const u64 = (at: number) => Number(image.readBigUInt64LE(at));
  const table = u64(0x28);
  const [size, count] = [image.readUInt16LE(0x3a), image.readUInt16LE(0x3c)];
  if (table === 0 || table + size * count > image.length) return [];
  const sections = Array.from({ length: count }, (_, index) => table + index * size);
  const symbols = sections.find((at) => image.readUInt32LE(at + 4) === SECTION_OF_DYNAMIC_SYMBOLS);
  const strings = symbols === undefined ? undefined : sections[image.readUInt32LE(symbols + 0x28)];
  if (symbols === undefined || strings === undefined) return [];
  const [first, names] = [u64(symbols + 0x18), u64(strings + 0x18)];
  return Array.from({ length: u64(symbols + 0x20) / SYMBOL_BYTES }, (_, index) => first + index * SYMBOL_BYTES)
    .filter((at) => image[at + 4] === (GLOBAL << 4) + FUNCTION && image.readUInt16LE(at + 6) !== 0)
    .map((at) => {
      const name = names + image.readUInt32LE(at);
      return { name: image.toString('latin1', name, image.indexOf(0, name)), offset: u64(at + 8), bytes: u64(at + 16) };
    });
}
