import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KnownSecret } from '../model/findings.ts';
import { chunksOf } from './chunks.ts';
import { type ScrubForm, scrubForms } from './scrubforms.ts';

/** What was overwritten, by the name of the secret. */
export type Scrubbed = Map<string, number>;

/**
 * Overwrites every copy of the values in the files of a folder, in place and at the same length, in every form of
 * scrubforms.ts. Copies in compressed data, or encoded twice, stay for the scan to find. Returns how many copies there were.
 * Memory use does not depend on the size of the files. Throws what the file system throws.
 */
export async function scrubFiles(directory: string, secrets: readonly KnownSecret[]): Promise<Scrubbed> {
  const scrubbed: Scrubbed = new Map();
  const targets: Target[] = secrets.flatMap(({ name, value }) => scrubForms(value).map((form) => ({ ...form, name })));
  if (targets.length === 0) return scrubbed;
  // The longest first: base64 of a part must not break that of the whole.
  targets.sort((a, b) => b.stored.length - a.stored.length);
  const overlap = targets[0]!.stored.length - 1;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    for await (const { bytes, offset, write } of chunksOf(join(entry.parentPath, entry.name), overlap, 'r+'))
      for (const { stored, overwrite, name } of targets)
        for (let at = bytes.indexOf(stored); at >= 0; at = bytes.indexOf(stored, at + stored.length)) {
          overwrite.copy(bytes, at);
          await write(overwrite, offset + at);
          scrubbed.set(name, (scrubbed.get(name) ?? 0) + 1);
        }
  }
  return scrubbed;
}

interface Target extends ScrubForm {
  name: string;
}
