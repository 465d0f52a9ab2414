import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { JOB_BYTES } from '../../../src/scan/engine/jobs.ts';
import { bytesField, image, MAGIC, message, pagemap, present } from './criu.ts';
import type { Random } from './random.ts';

export const PAGE = 4096;

/** Where something was put: a file of the snapshot and a byte offset in it. */
export interface Spot {
  file: string;
  offset: number;
}

/** A way to put stored forms into a snapshot. */
export interface Placement {
  name: string;
  /** Writes a snapshot with all of the items into an empty folder; gives their places, in order. */
  write(folder: string, items: readonly Buffer[], random: Random): Spot[];
}

const PAGES = 'pages-1.img';

/** Bytes as in memory that holds no text: now and then a zero or a letter, never two letters in a row. */
export function noise(random: Random, length: number): Buffer {
  const bytes = random.bytes(length);
  for (let at = 0; at < length; at++) if (at % 2 === 0 || at < 8 || at >= length - 8) bytes[at]! |= 0x80;
  return bytes;
}

/** Whole pages of noise with an item at a byte offset. */
export function pagesAround(
  random: Random,
  item: Buffer,
  at: number,
  pages = Math.ceil((at + item.length) / PAGE),
): Buffer {
  const bytes = noise(random, pages * PAGE);
  // What is printable beside an item would become part of it.
  bytes.fill(0xe9, Math.max(0, at - 4), Math.min(bytes.length, at + item.length + 4));
  item.copy(bytes, at);
  return bytes;
}

/** Pages, each piece an extent of its own: a gap of one page is between their addresses, none between them in the file. */
function extents(folder: string, pieces: readonly Buffer[]): number[] {
  let [address, offset] = [0x7f0000000000n, 0];
  const entries = pieces.map((piece) => {
    const entry = present(address, piece.length / PAGE);
    address += BigInt(piece.length + PAGE);
    return entry;
  });
  writeFileSync(join(folder, 'pagemap-100.img'), pagemap(1, entries));
  writeFileSync(join(folder, PAGES), Buffer.concat(pieces));
  return pieces.map((piece) => {
    const start = offset;
    offset += piece.length;
    return start;
  });
}

/** Memory without a secret, for placements in other files. */
function memory(folder: string, random: Random): void {
  extents(folder, [noise(random, 4 * PAGE)]);
}

/** One extent in which item after item is at `startOf`, given where the next free page begins. */
function inOneExtent(startOf: (item: Buffer, free: number) => number): Placement['write'] {
  return (folder, items, random) => {
    let free = 0;
    const pieces: Buffer[] = [];
    const spots = items.map((item) => {
      const at = startOf(item, free) - free;
      const piece = pagesAround(random, item, at, Math.ceil((at + item.length) / PAGE) + 1);
      pieces.push(piece);
      const spot = { file: PAGES, offset: free + at };
      free += piece.length;
      return spot;
    });
    extents(folder, [Buffer.concat(pieces)]);
    return spots;
  };
}

/** Records of an image file, each with an item in it. */
function inRecords(name: string, magic: number, record: (item: Buffer, index: number) => Buffer): Placement['write'] {
  return (folder, items, random) => {
    memory(folder, random);
    const whole = Buffer.concat([image(magic), ...items.map(record)]);
    writeFileSync(join(folder, name), whole);
    let from = 0;
    return items.map((item) => {
      const offset = whole.indexOf(item, from);
      from = offset + item.length;
      return { file: name, offset };
    });
  };
}

export const PLACEMENTS: readonly Placement[] = [
  {
    name: 'at the start of an extent, behind text of another',
    write(folder, items, random) {
      const pieces = items.flatMap((item) => [
        Buffer.alloc(PAGE, 'QUJD'),
        pagesAround(random, item, 0, Math.ceil((item.length + 4) / PAGE)),
      ]);
      const starts = extents(folder, pieces);
      return items.map((_item, index) => ({ file: PAGES, offset: starts[2 * index + 1]! }));
    },
  },
  {
    name: 'at the end of an extent, before text of another',
    write(folder, items, random) {
      const pieces = items.flatMap((item) => {
        const pages = Math.ceil((item.length + 4) / PAGE);
        return [pagesAround(random, item, pages * PAGE - item.length, pages), Buffer.alloc(PAGE, 'QUJD')];
      });
      const starts = extents(folder, pieces);
      return items.map((item, index) => ({
        file: PAGES,
        offset: starts[2 * index]! + pieces[2 * index]!.length - item.length,
      }));
    },
  },
  {
    name: 'across a page border',
    write: inOneExtent((item, free) => {
      const half = item.length >> 1;
      return free + Math.ceil((half + 8) / PAGE) * PAGE - half;
    }),
  },
  { name: 'at an odd address', write: inOneExtent((_item, free) => free + 1027) },
  { name: 'at an address that no word begins at', write: inOneExtent((_item, free) => free + 1030) },
  {
    name: 'across the borders of what is read at once',
    write(folder, items, random) {
      const size = (items.length + 1) * JOB_BYTES;
      const fd = openSync(join(folder, PAGES), 'w');
      try {
        // The rest is a hole in the file, read as zeros.
        ftruncateSync(fd, size);
        return items.map((item, index) => {
          // Cut anywhere, but cut.
          const offset = (index + 1) * JOB_BYTES - 1 - random.below(item.length - 1);
          writeSync(fd, Buffer.concat([Buffer.of(0xe9), item, Buffer.of(0xe9)]), 0, item.length + 2, offset - 1);
          return { file: PAGES, offset };
        });
      } finally {
        closeSync(fd);
        writeFileSync(join(folder, 'pagemap-100.img'), pagemap(1, [present(0x7f0000000000n, size / PAGE)]));
      }
    },
  },
  {
    name: 'in shared memory',
    write(folder, items, random) {
      memory(folder, random);
      const pieces = items.map((item) => pagesAround(random, item, 512));
      writeFileSync(
        join(folder, 'pagemap-shmem-17.img'),
        pagemap(
          2,
          pieces.map((piece, index) => present(index * 1024 * PAGE, piece.length / PAGE)),
        ),
      );
      writeFileSync(join(folder, 'pages-2.img'), Buffer.concat(pieces));
      let offset = 0;
      return pieces.map((piece) => {
        const spot = { file: 'pages-2.img', offset: offset + 512 };
        offset += piece.length;
        return spot;
      });
    },
  },
  {
    name: 'in a small image',
    write: inRecords('remap-fpath.img', MAGIC.remapFilePath, (item, index) =>
      message(Buffer.concat([bytesField(1, Buffer.of(index & 0x7f)), bytesField(2, guarded(item))])),
    ),
  },
  {
    name: 'in a socket’s queue',
    write: inRecords('sk-queues.img', MAGIC.socketQueues, (item, index) => {
      const packet = guarded(item);
      return Buffer.concat([message({ 1: index + 1, 2: packet.length }), packet]);
    }),
  },
  {
    name: 'in a pipe',
    write: inRecords('pipes-data.img', MAGIC.pipesData, (item, index) => {
      const content = guarded(item);
      return Buffer.concat([message({ 1: index + 1, 2: content.length, 3: 65_536 }), content]);
    }),
  },
  {
    name: 'in a file beside the images, among other text',
    write(folder, items, random) {
      memory(folder, random);
      const name = join('logs', 'app.log');
      mkdirSync(dirname(join(folder, name)));
      let offset = 0;
      const pieces: Buffer[] = [];
      const spots = items.map((item, index) => {
        const before = Buffer.from(`info: Request ${index} finished in ${random.below(900)} ms - "`);
        pieces.push(before, item, Buffer.from('"\n'));
        const spot = { file: 'logs/app.log', offset: offset + before.length };
        offset += before.length + item.length + 2;
        return spot;
      });
      writeFileSync(join(folder, name), Buffer.concat(pieces));
      return spots;
    },
  },
];

/** A length before a text can be a printable byte, which would become part of it. */
function guarded(item: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0xe9), item, Buffer.of(0xe9)]);
}
