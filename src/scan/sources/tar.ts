import { SnapshotError } from '../../errors.ts';
import { damaged } from './damage.ts';
import type { Extent } from './source.ts';
import { type Reader, type StoredFile, withReader } from './stored.ts';

/** What a tar holds. */
export interface TarIndex {
  /** Its regular files, in order, under their names in the archive. */
  members: StoredFile[];
  /** What no regular file has: headers, padding, the end. */
  rest: Extent[];
}

const BLOCK = 512;

/** Larger than any path or set of extended attributes. */
const MOST_EXTENDED_BYTES = 1024 * 1024;

/** Whether this block is a tar header with the magic of POSIX or GNU, checksum included. */
export function isTarHeader(block: Buffer): boolean {
  return block.length >= BLOCK && block.toString('latin1', 257, 262) === 'ustar' && checksumFits(block);
}

/**
 * Lists the files of an uncompressed tar (ustar, POSIX pax, GNU) without reading them: they are read in place.
 * Throws DS4002 where it is not whole, DS1001 for sparse files, whose bytes do not lie in one piece.
 */
export function indexTar(tar: StoredFile): TarIndex {
  return withReader(tar, (reader) => index(tar, reader));
}

function index(tar: StoredFile, reader: Reader): TarIndex {
  const members: StoredFile[] = [];
  const rest: Extent[] = [];
  const block = Buffer.alloc(BLOCK);
  /** Told by extended headers, for the member that follows. */
  let told: { name?: string; size?: number } = {};
  let restFrom = 0;
  let at = 0;
  for (; at + BLOCK <= tar.size; ) {
    reader.fill(block, at);
    if (block.every((byte) => byte === 0)) break;
    if (!checksumFits(block)) throw damaged(tar.name, `there is no archive header at byte ${at}`);
    const kind = String.fromCharCode(block[156]!);
    const stored = numberIn(block, 124, 12);
    const data = at + BLOCK;
    if (stored === undefined) throw damaged(tar.name, `a size in the header at byte ${at} is not a number`);
    if (kind === 'x' || kind === 'L') {
      if (stored > MOST_EXTENDED_BYTES) throw damaged(tar.name, `the header at byte ${at} is too long`);
      const body = reader.read(data, stored);
      told = { ...told, ...(kind === 'x' ? toldByPax(body, tar.name) : { name: textIn(body, 0, body.length) }) };
      at = data + roundedUp(stored);
      continue;
    }
    if (kind === 'S') throw sparse(tar.name);
    // Links, devices, folders and pipes have no data, whatever their size says.
    const size = /[1-6]/.test(kind) ? 0 : (told.size ?? stored);
    if (data + size > tar.size) throw damaged(tar.name, `it is cut short: its last member begins at byte ${at}`);
    // A global header and the list of long link names are no files; they count as the rest.
    if (size > 0 && kind !== 'g' && kind !== 'K') {
      members.push({ name: told.name ?? nameIn(block), size, path: tar.path, start: tar.start + data });
      rest.push({ offset: restFrom, length: data - restFrom });
      restFrom = data + size;
    }
    if (kind !== 'g' && kind !== 'K') told = {};
    at = data + roundedUp(size);
  }
  // An archive ends with blocks of zeros. Without them it was cut at the border of a member.
  if (at >= tar.size) throw damaged(tar.name, 'the end of the archive is missing');
  rest.push({ offset: restFrom, length: tar.size - restFrom });
  return { members, rest: rest.filter(({ length }) => length > 0) };
}

/** Path and size that a pax header tells: records `<length> <key>=<value>\n`. */
function toldByPax(body: Buffer, archive: string): { name?: string; size?: number } {
  const told: { name?: string; size?: number } = {};
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : Number(body.toString('latin1', at, blank));
    if (!Number.isSafeInteger(length) || length < blank - at + 3 || at + length > body.length) {
      throw damaged(archive, 'an extended header in it is damaged');
    }
    const record = body.toString('utf8', blank + 1, at + length - 1);
    const equals = record.indexOf('=');
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path') told.name = value;
    if (key === 'size') {
      told.size = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (Number.isNaN(told.size)) throw damaged(archive, 'a size in an extended header is not a number');
    }
    if (key.startsWith('GNU.sparse.')) throw sparse(archive);
    at += length;
  }
  return told;
}

function sparse(archive: string): SnapshotError {
  return new SnapshotError('DS1001', `${archive} holds a sparse file, which can't be read in place.`, {
    fix: 'Unpack the archive and scan the folder, or pack it again without --sparse.',
  });
}

/** POSIX splits long names in two; GNU has other things where POSIX has the first part. */
function nameIn(header: Buffer): string {
  const name = textIn(header, 0, 100);
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textIn(header, 345, 500) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textIn(bytes: Buffer, start: number, end: number): string {
  const zero = bytes.indexOf(0, start);
  return bytes.toString('utf8', start, zero >= 0 && zero < end ? zero : end);
}

/** An octal number, or GNU's base 256; undefined where it is neither, or no size a file can have. */
function numberIn(header: Buffer, start: number, length: number): number | undefined {
  if (header[start]! & 0x80) {
    // A size has no business in the upper bytes, and a negative one even less.
    const upper = header.subarray(start, start + length - 6);
    if (upper[0] !== 0x80 || upper.subarray(1).some((byte) => byte !== 0)) return undefined;
    return header.readUIntBE(start + length - 6, 6);
  }
  const digits = header
    .toString('latin1', start, start + length)
    .replace(/[\0 ]+$/, '')
    .trimStart();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : undefined;
}

/** The sum of all bytes with the checksum's own as blanks; old programs summed signed bytes. */
function checksumFits(header: Buffer): boolean {
  const told = numberIn(header, 148, 8);
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < BLOCK; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : header[at]!;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return told === unsigned || told === signed;
}

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK;
}
