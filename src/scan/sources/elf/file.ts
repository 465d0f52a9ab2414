import { SnapshotError } from '../../../errors.ts';
import { damaged } from '../damage.ts';
import { type Reader, type StoredFile, withReader } from '../stored.ts';

/** A program header of an ELF core dump. */
export interface Segment {
  /** Offset and bytes in the file. */
  offset: number;
  length: number;
  start: bigint;
  /** Address behind what it stands for; what is not in the file was not dumped. */
  end: bigint;
  readable: boolean;
  writable: boolean;
  executable: boolean;
}

/** The parts of a core dump. */
export interface ElfCore {
  machine: 'x86-64' | 'arm64';
  /** PT_LOAD, by address. */
  segments: Segment[];
  /** PT_NOTE, whole. */
  notes: Buffer[];
}

const PT_LOAD = 1;
const PT_NOTE = 4;
/** `e_phnum` where the number does not fit: it is in the first section header then. */
const PN_XNUM = 0xffff;

/** A process has no more mappings, and notes are no larger; numbers of a damaged file must not fill the memory. */
const MOST_TABLE_BYTES = 128 * 1024 * 1024;
const MOST_NOTE_BYTES = 128 * 1024 * 1024;

/** Whether the first bytes are those of an ELF file, and of a core dump. */
export function elfKindOf(head: Buffer): 'core' | 'other' | undefined {
  if (head.length < 20 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const bigEndian = head[5] === 2;
  return (bigEndian ? head.readUInt16BE(16) : head.readUInt16LE(16)) === 4 ? 'core' : 'other';
}

/**
 * Reads the headers of a core dump, as the kernel, gdb's gcore and createdump write it.
 * Throws DS4002 where it is not whole, DS1001 for other machines than x86-64 and arm64.
 */
export function readElfCore(file: StoredFile): ElfCore {
  return withReader(file, (reader) => {
    const header = reader.read(0, 64);
    const machine = ({ 62: 'x86-64', 183: 'arm64' } as const)[header.readUInt16LE(18)];
    if (header[4] !== 2 || header[5] !== 1 || machine === undefined) {
      throw new SnapshotError('DS1001', `${file.name} is a core dump of another machine than x86-64 or arm64.`);
    }
    const segments: Segment[] = [];
    const notes: Buffer[] = [];
    let noteBytes = 0;
    const at = offsetIn(header, 32);
    const bytes = header.readUInt16LE(54);
    const count = headerCount(header, reader);
    if (bytes < 56 || bytes * count > MOST_TABLE_BYTES) throw damaged(file.name, 'its program headers make no sense');
    const table = reader.read(at, bytes * count);
    for (let entry = 0; entry < table.length; entry += bytes) {
      const type = table.readUInt32LE(entry);
      const offset = offsetIn(table, entry + 8);
      const length = offsetIn(table, entry + 32);
      if (type !== PT_LOAD && type !== PT_NOTE) continue;
      if (offset + length > file.size) throw damaged(file.name, 'it is cut short: not all memory is in it');
      if (type === PT_NOTE) {
        noteBytes += length;
        if (noteBytes > MOST_NOTE_BYTES) throw damaged(file.name, 'its notes are too long');
        notes.push(reader.read(offset, length));
        continue;
      }
      const start = table.readBigUInt64LE(entry + 16);
      const flags = table.readUInt32LE(entry + 4);
      const inMemory = table.readBigUInt64LE(entry + 40);
      const end = start + (inMemory > BigInt(length) ? inMemory : BigInt(length));
      const access = { executable: (flags & 1) !== 0, writable: (flags & 2) !== 0, readable: (flags & 4) !== 0 };
      segments.push({ offset, length, start, end, ...access });
    }
    segments.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
    return { machine, segments, notes };
  });
}

function headerCount(header: Buffer, reader: Reader): number {
  const count = header.readUInt16LE(56);
  // sh_info of the first section header
  return count === PN_XNUM ? reader.read(offsetIn(header, 40) + 44, 4).readUInt32LE(0) : count;
}

/** A file offset. One beyond what a number holds is beyond every file, and refused when it is read. */
function offsetIn(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
