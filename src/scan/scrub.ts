import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KnownSecret } from '../model/findings.ts';
import { type ScrubForm, scrubForms } from './scrubforms.ts';

/** Bytes read at once. */
const CHUNK = 4 << 20;

/** What was overwritten, by the name of the secret. */
export type Scrubbed = Map<string, number>;

/**
 * Overwrites every copy of the values in the files of a folder, in place and at the same length, in every form of
 * scrubforms.ts. Copies in compressed data, or encoded twice, stay for the scan to find. Returns how many copies there were.
 * Memory use does not depend on the size of the files. Throws what the file system throws.
 */
export async function scrubFiles(directory: string, secrets: readonly KnownSecret[]): Promise<Scrubbed> {
  const scrubbed: Scrubbed = new Map();
  const targets = secrets.flatMap(({ name, value }) => scrubForms(value).map((form) => ({ ...form, name })));
  if (targets.length === 0) return scrubbed;
  // The longest first: base64 of a part must not break that of the whole.
  targets.sort((a, b) => b.stored.length - a.stored.length);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = await open(join(entry.parentPath, entry.name), 'r+');
    try {
      await scrubFile(file, targets, scrubbed);
    } finally {
      await file.close();
    }
  }
  return scrubbed;
}

interface Target extends ScrubForm {
  name: string;
}

/** Chunks overlap by what a copy may have in the one before; it holds what was already overwritten there. */
async function scrubFile(file: FileHandle, targets: Target[], scrubbed: Scrubbed): Promise<void> {
  const overlap = targets[0]!.stored.length - 1;
  const buffer = Buffer.alloc(CHUNK + overlap);
  for (let position = 0, kept = 0; ; ) {
    const { bytesRead } = await file.read(buffer, kept, CHUNK, position + kept);
    const chunk = buffer.subarray(0, kept + bytesRead);
    if (bytesRead === 0) return;
    for (const { stored, overwrite, name } of targets) {
      for (let at = chunk.indexOf(stored); at >= 0; at = chunk.indexOf(stored, at + stored.length)) {
        overwrite.copy(chunk, at);
        await file.write(overwrite, 0, overwrite.length, position + at);
        scrubbed.set(name, (scrubbed.get(name) ?? 0) + 1);
      }
    }
    const next = Math.max(0, chunk.length - overlap);
    position += next;
    kept = chunk.length - next;
    chunk.copy(buffer, 0, next);
  }
}
