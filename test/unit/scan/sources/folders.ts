import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { openSource } from '../../../../src/scan/sources/index.ts';

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder with these files, removed after the test file. */
export function folderOf(files: Record<string, Buffer> | Map<string, Buffer>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sources-'));
  made.push(folder);
  for (const [name, bytes] of files instanceof Map ? files : Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

/** Where sources of the tests unpack to. */
export const temporaryFolder = folderOf({});

/** What is left of unpacked files. */
export function leftovers(): string[] {
  return readdirSync(temporaryFolder);
}

/** Opens a source that is closed after the test file. */
export function open(path: string, options: Partial<Parameters<typeof openSource>[1]> = {}) {
  return openSource(path, { temporaryFolder, ...options });
}
