import { open, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';

// Largest traffic file, and largest body file, in bytes.
const MAX_BYTES = 10 * 1024 * 1024;

/** The bytes of a regular file of at most `MAX_BYTES`. Throws an Error whose message is a short reason, such as `no such file`. */
export async function readBounded(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path);
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) throw new Error('is a folder; expected a file');
      if (!stats.isFile()) throw new Error('is not a regular file');
      if (stats.size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES / 1024 / 1024} MB`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new Error('no such file');
    throw new Error(code ? `cannot be read: ${code}` : message);
  }
}

/**
 * The bytes of a body file, named relative to the traffic file. Throws an Error whose message is a short reason, also
 * where the file, or what a symbolic link leads to, lies outside the traffic file's folder.
 */
export async function readBodyFile(trafficFile: string, name: string): Promise<Uint8Array> {
  const folder = resolve(dirname(trafficFile));
  const path = resolve(folder, name);
  const outside = new Error('lies outside the folder of the traffic file');
  if (!isWithin(folder, path)) throw outside;
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined && !isWithin(await realpath(folder), real)) throw outside;
  return readBounded(path);
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The bytes as text. Throws an Error whose message says where they are not UTF-8, `line:column: ` first. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const before = new TextDecoder('utf-8').decode(bytes).split('\uFFFD', 1)[0]!.split('\n');
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const found = utf16 ? 'the file is UTF-16' : 'not valid UTF-8';
    throw new Error(`${before.length}:${before.at(-1)!.length + 1}: ${found}; expected UTF-8`);
  }
}
