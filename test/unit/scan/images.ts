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
