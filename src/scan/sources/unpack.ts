import { closeSync, createReadStream, createWriteStream, openSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { SnapshotError } from '../../errors.ts';
import { damaged } from './damage.ts';
import type { StoredFile } from './stored.ts';
import { type Frame, framesOf, isZstd } from './zstd.ts';

/** How a file is compressed. */
export type Compression = 'gzip' | 'zstd';

/** What was unpacked. */
export interface Unpacked {
  file: StoredFile;
  /** Where it ended early: what came out until then is in the file. */
  broken?: SnapshotError;
}

/** Left free on the disk that is unpacked to, so that a full disk stops nothing else. */
const LEFT_FREE = 128 * 1024 * 1024;

/** Bytes unpacked at a time; with the default of 16 KiB most of the time goes into passing them on. */
const CHUNK = 256 * 1024;

/** The compression that the first bytes of a file tell. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.length >= 3 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 8) return 'gzip';
  return isZstd(head) ? 'zstd' : undefined;
}

/** The name of a compressed format that is not read, by the first bytes. */
export function foreignFormatOf(head: Buffer): string | undefined {
  const formats: [string, string][] = [
    ['fd377a585a00', 'xz'],
    ['425a68', 'bzip2'],
    ['04224d18', 'lz4'],
    ['504b0304', 'zip'],
    ['377abcaf271c', '7z'],
  ];
  const hex = head.toString('hex');
  return formats.find(([magic]) => hex.startsWith(magic))?.[1];
}

/**
 * Unpacks `file` as a stream to the new file `path`, which only this user can read. That it breaks off is told in the
 * result. Throws DS4002 above `limit` bytes, DS2006 where the disk has no room, DS1001 where this Node.js can't.
 */
export async function unpack(file: StoredFile, kind: Compression, path: string, limit: number): Promise<Unpacked> {
  const { frames, broken: cut } =
    kind === 'zstd' ? framesOf(file) : { frames: [{ start: 0, end: file.size }], broken: false };
  closeSync(openSync(path, 'wx', 0o600));
  const room = Math.max(0, freeBytes(path) - LEFT_FREE);
  let size = 0;
  const count = (bytes: number): SnapshotError | null => {
    size += bytes;
    if (size > limit) return tooLarge(file.name, limit);
    return size > room ? noRoom(file.name) : null;
  };
  let broken = cut ? damaged(file.name, `it is no whole ${kind} file`) : undefined;
  for (const frame of frames) {
    const error = await unpackFrame(file, frame, kind, path, count);
    if (error === undefined) continue;
    broken = damaged(file.name, `it is no whole ${kind} file`, { detail: error });
    break;
  }
  const unpacked = { name: file.name, size: statSync(path).size, path, start: 0 };
  return { file: unpacked, ...(broken && { broken }) };
}

/** Appends what one frame holds; returns what is wrong with it. */
async function unpackFrame(
  file: StoredFile,
  frame: Frame,
  kind: Compression,
  path: string,
  count: (bytes: number) => SnapshotError | null,
): Promise<string | undefined> {
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(count(chunk.length), chunk),
  });
  const range = { start: file.start + frame.start, end: file.start + frame.end - 1 };
  const input = createReadStream(file.path, { ...range, highWaterMark: CHUNK });
  try {
    await pipeline(input, decompressor(kind), counted, createWriteStream(path, { flags: 'a' }));
    return undefined;
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    const code = String((error as NodeJS.ErrnoException).code);
    if (code === 'ENOSPC' || code === 'EDQUOT') throw noRoom(file.name);
    if (!/^(ERR_)?(Z_|ZSTD_|ZLIB)/.test(code)) {
      throw damaged(file.name, 'it can not be unpacked', { detail: String(error) });
    }
    return String(error);
  }
}

function decompressor(kind: Compression): Transform {
  if (kind === 'gzip') return zlib.createGunzip({ chunkSize: CHUNK });
  // Node.js 20 is still supported, and has no zstd.
  if (typeof zlib.createZstdDecompress !== 'function') {
    throw new SnapshotError('DS1001', 'This Node.js can not unpack zstd.', {
      fix: 'Use Node.js 22.15 or newer, or unpack the file first: zstd -d FILE.',
    });
  }
  return zlib.createZstdDecompress({ chunkSize: CHUNK });
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

function tooLarge(file: string, limit: number): SnapshotError {
  return damaged(file, `what is compressed here unpacks to more than ${limit} bytes`, {
    fix: 'If that is what it should be, unpack it yourself and scan the folder.',
  });
}

function noRoom(file: string): SnapshotError {
  return new SnapshotError('DS2006', `There is no room to unpack ${file}.`, {
    fix: 'Free space where temporary files go, or unpack it elsewhere and scan the folder.',
  });
}
