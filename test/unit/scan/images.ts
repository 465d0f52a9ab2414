import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export const PAGE = 4096;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder with these files, removed after the test file. */
export function snapshot(files: Record<string, Buffer>): string {
  const dir = mkdtempSync(join(tmpdir(), 'scan-'));
  folders.push(dir);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dir, name), bytes);
  return dir;
}

/** Fields of a protobuf message by number, all of them integers. */
export type Fields = Record<number, number | bigint>;

/** An entry as CRIU 4.2 writes it: the count in field 5, zero in field 2, PE_PRESENT. */
export function present(address: number | bigint, pages: number): Fields {
  return { 1: address, 2: 0, 4: 4, 5: pages };
}

/** A `pagemap-*.img`. */
export function pagemap(pagesId: number, entries: Fields[]): Buffer {
  const magics = Buffer.alloc(8);
  magics.writeUInt32LE(0x54564319, 0);
  magics.writeUInt32LE(0x56084025, 4);
  return Buffer.concat([magics, ...[{ 1: pagesId }, ...entries].map(message)]);
}

function message(fields: Fields): Buffer {
  const body = Buffer.from(
    Object.entries(fields).flatMap(([number, value]) => [...varint(BigInt(number) << 3n), ...varint(BigInt(value))]),
  );
  const size = Buffer.alloc(4);
  size.writeUInt32LE(body.length);
  return Buffer.concat([size, body]);
}

function varint(value: bigint): number[] {
  return value < 0x80n ? [Number(value)] : [Number(value & 0x7fn) | 0x80, ...varint(value >> 7n)];
}

/** Pages without any text. */
export function noise(pages: number): Buffer {
  return Buffer.alloc(pages * PAGE, 0xe9);
}

/** Noise with texts planted at byte offsets. */
export function planted(pages: number, texts: { at: number; text: string | Buffer }[]): Buffer {
  const bytes = noise(pages);
  for (const { at, text } of texts) Buffer.from(text as string).copy(bytes, at);
  return bytes;
}

/** Characters that look random and are the same in every run; no test file has to hold a token. */
export function random(
  length: number,
  alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  seed = 7,
) {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return alphabet[Math.floor((state / 2 ** 32) * alphabet.length)];
  }).join('');
}
