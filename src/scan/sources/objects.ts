import { pieceAt } from './pieces.ts';
import type { Extent, ScannedFile } from './source.ts';
import { withReader } from './stored.ts';

/** Reads a process's memory by address. */
export interface Memory {
  /** The bytes from `address` on, at most `length` and none beyond the next gap. Throws DS4002 for a damaged file. */
  read(address: bigint, length: number): Buffer;
}

/** The memory in a file whose extents tell their addresses. */
export function memoryIn(file: ScannedFile): Memory {
  // Sought by address in place of the offset: as numbers, which hold any address below 2^53.
  const pieces = file.extents
    .filter((extent): extent is Extent & { address: bigint } => extent.address !== undefined)
    .map(({ offset, length, address }) => ({ offset: Number(address), length, at: offset }))
    .sort((a, b) => a.offset - b.offset);
  return {
    read(address, length) {
      const wanted = Number(address);
      const piece = pieceAt(pieces, wanted);
      if (piece === undefined) return Buffer.alloc(0);
      const skipped = wanted - piece.offset;
      return withReader(file, (reader) => reader.read(piece.at + skipped, Math.min(length, piece.length - skipped)));
    },
  };
}

/** A .NET object that holds text: a string, char[] or byte[]. Addresses, end exclusive. */
export interface TextObject {
  start: bigint;
  end: bigint;
}

/** Where what a number can count ends; the user's part of an address space ends at 2^47, or 2^48 on arm64. */
const HIGHEST_ADDRESS = 1n << 52n;

/** Larger objects are not looked for. */
const FARTHEST_START = 64 * 1024;

/**
 * How the objects look that hold text (src/coreclr/vm/object.h, and NativeAOT's MethodTable.h): pointer to the type, u32
 * length, then for arrays four bytes of padding, then the items.
 */
const STRING = { baseSize: 22, items: 12 };
const ARRAY = { baseSize: 24, items: 16 };

/**
 * The type at an address: of the MethodTable's first two u32, the lower half of the first is the size of an item if its
 * highest bit is set, the second is the size of an empty object.
 */
export function textTypes(
  memory: Memory,
  stringType: bigint | undefined,
): (type: bigint) => { items: number; itemSize: number } | undefined {
  const known = new Map<bigint, { items: number; itemSize: number } | undefined>();
  if (stringType !== undefined) known.set(stringType, { items: STRING.items, itemSize: 2 });
  return (type) => {
    if (known.has(type)) return known.get(type);
    const table = type % 8n === 0n && type < HIGHEST_ADDRESS ? memory.read(type, 8) : Buffer.alloc(0);
    const flags = table.length === 8 ? table.readUInt32LE(0) : 0;
    const baseSize = table.length === 8 ? table.readUInt32LE(4) : 0;
    const itemSize = flags & 0xffff;
    const hasItems = flags >= 0x80000000 && (itemSize === 1 || itemSize === 2);
    const form =
      baseSize === ARRAY.baseSize ? ARRAY : baseSize === STRING.baseSize && itemSize === 2 ? STRING : undefined;
    const found = hasItems && form ? { items: form.items, itemSize } : undefined;
    known.set(type, found);
    return found;
  };
}

/** The innermost object that holds the `bytes` bytes at `address`; undefined where none begins in the 64 KiB before. */
export function objectAround(
  address: bigint,
  bytes: number,
  memory: Memory,
  typeOf: ReturnType<typeof textTypes>,
): TextObject | undefined {
  // No process has memory there, but a damaged file may say so, and numbers of that size do not count in eights.
  if (address >= HIGHEST_ADDRESS) return undefined;
  const wanted = Number(address);
  const lowest = Math.max(0, Math.ceil((wanted - FARTHEST_START) / 8) * 8);
  const before = readUpTo(memory, lowest, wanted);
  const from = wanted - before.length;
  // Objects lie at multiples of eight.
  for (let start = Math.floor((wanted - STRING.items) / 8) * 8; start >= from; start -= 8) {
    const at = start - from;
    if (at + 12 > before.length) continue;
    const length = before.readUInt32LE(at + 8);
    // Most words are ruled out by this alone: a length that reaches behind the text, of one or two bytes each.
    if (length === 0 || length > 0x7fffffff || start + ARRAY.items + length * 2 < wanted + bytes) continue;
    const type = typeOf(before.readBigUInt64LE(at));
    if (type === undefined) continue;
    const end = start + type.items + length * type.itemSize;
    if (start + type.items > wanted || end < wanted + bytes) continue;
    return { start: BigInt(start), end: BigInt(end) };
  }
  return undefined;
}

/** Tells whether an address in the memory that one of the files holds is in a .NET object with text. */
export function objectSeekerIn(
  files: ScannedFile[],
  stringTypeOf: (name: string) => bigint | undefined,
): (name: string, address: bigint | undefined) => boolean {
  const byName = new Map(files.map((file) => [file.name, file]));
  const known = new Map<string, { memory: Memory; typeOf: ReturnType<typeof textTypes> }>();
  return (name, address) => {
    const file = byName.get(name);
    if (file === undefined || address === undefined) return false;
    let process = known.get(name);
    if (process === undefined) {
      const memory = memoryIn(file);
      process = { memory, typeOf: textTypes(memory, stringTypeOf(name)) };
      known.set(name, process);
    }
    return objectAround(address, 1, process.memory, process.typeOf) !== undefined;
  };
}

/** What lies right below `end`, from `start` on or from where the memory begins. */
function readUpTo(memory: Memory, start: number, end: number): Buffer {
  const whole = memory.read(BigInt(start), end - start);
  if (whole.length === end - start) return whole;
  // A gap: page by page upward until there is none.
  for (let page = (Math.floor(start / 4096) + 1) * 4096; page < end; page += 4096) {
    const part = memory.read(BigInt(page), end - page);
    if (part.length === end - page) return part;
  }
  return memory.read(BigInt(Math.floor(end / 4096) * 4096), end % 4096);
}
