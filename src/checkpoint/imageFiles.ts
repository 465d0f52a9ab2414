import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import xxhash from 'xxhash-wasm';
import type { Manifest } from '../model/index.ts';

/** The files of a snapshot's folder, by name: their size in bytes, SHA-256 and XXH64. */
export async function describeFiles(directory: string): Promise<Manifest['files']> {
  const { create64 } = await xxhash();
  const files: Manifest['files'] = {};
  for (const name of (await readdir(directory)).sort()) {
    const [sha256, xxh64] = [createHash('sha256'), create64()];
    let bytes = 0;
    for await (const chunk of createReadStream(join(directory, name), { highWaterMark: 1 << 20 })) {
      sha256.update(chunk);
      xxh64.update(chunk);
      bytes += chunk.length;
    }
    files[name] = { sha256: sha256.digest('hex'), xxh64: xxh64.digest().toString(16).padStart(16, '0'), bytes };
  }
  return files;
}

/** Whether a folder still holds exactly the files that the manifest names, unchanged. */
export async function isIntact(directory: string, manifest: Manifest): Promise<boolean> {
  const found = await describeFiles(directory).catch(() => ({}));
  return JSON.stringify(found) === JSON.stringify(manifest.files);
}
