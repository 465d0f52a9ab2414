import { closeSync, openSync, readSync } from 'node:fs';
import { damaged } from './damage.ts';

/** A file of what is scanned, wherever its bytes lie: on its own, or as a member of an archive on disk. */
export interface StoredFile {
  /** Path within the source, with forward slashes; unique in it. */
  name: string;
  /** Bytes. */
  size: number;
  /** The file on disk that holds its bytes, and where in that they begin: a tar's member begins anywhere. */
  path: string;
  start: number;
}

/** Reads pieces of one stored file. `close` it. */
export interface Reader {
  /** The `length` bytes at `offset`; throws DS4002 where the file ends before, or can't be read. */
  read(offset: number, length: number): Buffer;
  /** Fills `buffer` from `offset` on. Throws as `read` does. */
  fill(buffer: Uint8Array, offset: number): void;
  close(): void;
}

/** Opens the file for reading. Throws DS4002 where that is refused. */
export function readerOf(file: StoredFile): Reader {
  let fd: number;
  try {
    fd = openSync(file.path, 'r');
  } catch (error) {
    throw damaged(file.name, 'it can not be read', { detail: String(error) });
  }
  const fill = (buffer: Uint8Array, offset: number): void => {
    if (offset < 0 || offset + buffer.length > file.size) throw damaged(file.name, 'it is cut short');
    for (let got = 0; got < buffer.length; ) {
      let count: number;
      try {
        count = readSync(fd, buffer, got, buffer.length - got, file.start + offset + got);
      } catch (error) {
        throw damaged(file.name, 'it can not be read', { detail: String(error) });
      }
      if (count === 0) throw damaged(file.name, `it ends at byte ${offset + got}, before its last byte`);
      got += count;
    }
  };
  return {
    read: (offset, length) => {
      // Before the buffer is made: the length may be a number out of a damaged file.
      if (offset < 0 || length < 0 || offset + length > file.size) throw damaged(file.name, 'it is cut short');
      const buffer = Buffer.allocUnsafe(length);
      fill(buffer, offset);
      return buffer;
    },
    fill,
    close: () => closeSync(fd),
  };
}

/** Runs `work` with a reader of the file and closes that. */
export function withReader<T>(file: StoredFile, work: (reader: Reader) => T): T {
  const reader = readerOf(file);
  try {
    return work(reader);
  } finally {
    reader.close();
  }
}

/** The first bytes of the file, fewer where it is shorter. */
export function headOf(file: StoredFile, length: number): Buffer {
  return withReader(file, (reader) => reader.read(0, Math.min(length, file.size)));
}
