import { noise, PAGE } from './placements.ts';
import type { Random } from './random.ts';

const PT_LOAD = 1;
const PT_NOTE = 4;
const EM_X86_64 = 62;
const ET_CORE = 4;

/** A core dump of a process with these areas of memory, by address; as the kernel and createdump write it. */
export function elf(areas: readonly { address: bigint; bytes: Buffer }[], machine = EM_X86_64): Buffer {
  const note = prpsinfo('dotnet', 'dotnet App.dll');
  const headers = 64 + 56 * (areas.length + 1);
  const first = Math.ceil((headers + note.length) / PAGE) * PAGE;
  const out = Buffer.alloc(first);
  Buffer.from('7f454c46020101', 'hex').copy(out);
  out.writeUInt16LE(ET_CORE, 16);
  out.writeUInt16LE(machine, 18);
  out.writeUInt32LE(1, 20);
  out.writeBigUInt64LE(64n, 32);
  out.writeUInt16LE(64, 52);
  out.writeUInt16LE(56, 54);
  out.writeUInt16LE(areas.length + 1, 56);
  const segment = (index: number, type: number, offset: number, address: bigint, size: number) => {
    const at = 64 + 56 * index;
    out.writeUInt32LE(type, at);
    out.writeUInt32LE(6, at + 4);
    out.writeBigUInt64LE(BigInt(offset), at + 8);
    out.writeBigUInt64LE(address, at + 16);
    out.writeBigUInt64LE(BigInt(size), at + 32);
    out.writeBigUInt64LE(BigInt(type === PT_NOTE ? 0 : size), at + 40);
    out.writeBigUInt64LE(BigInt(type === PT_NOTE ? 4 : PAGE), at + 48);
  };
  segment(0, PT_NOTE, headers, 0n, note.length);
  note.copy(out, headers);
  let offset = first;
  for (const [index, { address, bytes }] of areas.entries()) {
    segment(index + 1, PT_LOAD, offset, address, bytes.length);
    offset += bytes.length;
  }
  return Buffer.concat([out, ...areas.map(({ bytes }) => bytes)]);
}

/** NT_PRPSINFO: the process's name and arguments. */
function prpsinfo(name: string, args: string): Buffer {
  const content = Buffer.alloc(136);
  content.writeUInt32LE(100, 24);
  content.write(name, 40, 15, 'latin1');
  content.write(args, 56, 79, 'latin1');
  const head = Buffer.alloc(12);
  head.writeUInt32LE(5, 0);
  head.writeUInt32LE(content.length, 4);
  head.writeUInt32LE(3, 8);
  return Buffer.concat([head, Buffer.from('CORE\0\0\0\0'), content]);
}

/** A small core dump with the secret in its memory. */
export function elfCore(random: Random, secret: string): Buffer {
  const areas = [3, 2].map((pages, index) => ({
    address: 0x7f0000000000n + BigInt(index * 0x100000),
    bytes: noise(random, pages * PAGE),
  }));
  for (const { bytes } of areas) bytes.write(`\0\0\0\0token=${secret}\0\0\0\0`, 1500, 'latin1');
  return elf(areas);
}
