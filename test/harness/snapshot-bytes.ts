import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every file of a snapshot, or any folder, whole. */
export function filesIn(directory: string): Buffer[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

/** How often the files hold a text, in UTF-8 or UTF-16LE. */
export function copiesOf(text: string, files: readonly Buffer[]): number {
  let copies = 0;
  for (const stored of [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')])
    for (const file of files)
      for (let at = file.indexOf(stored); at >= 0; at = file.indexOf(stored, at + stored.length)) copies++;
  return copies;
}
