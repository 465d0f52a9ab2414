import type { Range } from '../areas.ts';
import type { ElfCore } from './file.ts';

/** A file that is mapped at an address. */
export interface MappedFile extends Range {
  name: string;
}

/** What the notes of a core dump tell of the process. */
export interface CoreNotes {
  pid?: number;
  /** As `ps` shows it. */
  name?: string;
  /** General registers of all threads. */
  registers: bigint[];
  stackPointers: bigint[];
  files: MappedFile[];
  /** The auxiliary vector as the process has it on its stack. */
  auxiliary?: Buffer;
}

const NT_PRSTATUS = 1;
const NT_PRPSINFO = 3;
const NT_AUXV = 6;
const NT_FILE = 0x46494c45;

/** Where struct elf_prstatus has its registers, their number, and which of them is the stack pointer. */
const REGISTERS = { 'x86-64': { count: 27, stackPointer: 19 }, arm64: { count: 34, stackPointer: 31 } } as const;
const REGISTERS_AT = 112;

/**
 * Reads the notes. They only name things, and dumpers differ in what they write: what is missing or damaged is not
 * told, and no error.
 */
export function readNotes({ machine, notes }: ElfCore): CoreNotes {
  const told: CoreNotes = { registers: [], stackPointers: [], files: [] };
  for (const { name, type, body } of notes.flatMap((segment) => [...notesIn(segment)])) {
    if (name !== 'CORE') continue;
    if (type === NT_PRSTATUS) {
      const { count, stackPointer } = REGISTERS[machine];
      if (body.length < REGISTERS_AT + count * 8) continue;
      told.pid ??= body.readInt32LE(32);
      for (let at = 0; at < count; at++) told.registers.push(body.readBigUInt64LE(REGISTERS_AT + at * 8));
      told.stackPointers.push(body.readBigUInt64LE(REGISTERS_AT + stackPointer * 8));
    } else if (type === NT_PRPSINFO && body.length >= 56) {
      told.pid = body.readInt32LE(24);
      told.name = textAt(body, 40, 56);
    } else if (type === NT_AUXV) told.auxiliary = body;
    else if (type === NT_FILE) told.files.push(...filesIn(body));
  }
  return told;
}

/** Elf64_Nhdr: three u32, then name and body, each padded to four bytes. */
function* notesIn(segment: Buffer): Generator<{ name: string; type: number; body: Buffer }> {
  for (let at = 0; at + 12 <= segment.length; ) {
    const [nameBytes, bytes, type] = [0, 4, 8].map((field) => segment.readUInt32LE(at + field)) as [
      number,
      number,
      number,
    ];
    const body = at + 12 + padded(nameBytes);
    if (body + bytes > segment.length) return;
    yield { name: textAt(segment, at + 12, at + 12 + nameBytes), type, body: segment.subarray(body, body + bytes) };
    at = body + padded(bytes);
  }
}

/** Count, page size, then start, end and page offset of each mapping, then all names. */
function filesIn(body: Buffer): MappedFile[] {
  const count = body.length >= 16 ? Number(body.readBigUInt64LE(0)) : 0;
  if (!(16 + count * 24 <= body.length)) return [];
  const files: MappedFile[] = [];
  let name = 16 + count * 24;
  for (let at = 16; files.length < count && name < body.length; at += 24) {
    const zero = body.indexOf(0, name);
    const end = zero < 0 ? body.length : zero;
    files.push({
      start: body.readBigUInt64LE(at),
      end: body.readBigUInt64LE(at + 8),
      name: body.toString('utf8', name, end),
    });
    name = end + 1;
  }
  return files;
}

function textAt(bytes: Buffer, start: number, end: number): string {
  const piece = bytes.subarray(start, end);
  const zero = piece.indexOf(0);
  return piece.toString('utf8', 0, zero < 0 ? piece.length : zero);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

/** A value of an auxiliary vector (pairs of u64, <elf.h>). */
export function auxiliaryValue(vector: Buffer | undefined, type: bigint): bigint | undefined {
  for (let at = 0; vector !== undefined && at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === type) return vector.readBigUInt64LE(at + 8);
  }
  return undefined;
}
