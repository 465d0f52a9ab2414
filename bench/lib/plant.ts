import { closeSync, cpSync, openSync, readSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSource } from '../../src/scan/sources/index.ts';
import type { Spot } from '../../test/unit/scan/placements.ts';
import type { Random } from '../../test/unit/scan/random.ts';

/** Zeros that are left on both sides of what is planted, in bytes. */
const MARGIN = 32;

/** Shortest stretch of zeros that is looked at, in bytes. */
const SHORTEST = 128;

interface Stretch {
  file: string;
  offset: number;
  length: number;
}

/**
 * Copies a dump to `to` and writes each item into memory that was zero there: among the app's own objects, as a string
 * that it had would lie. Three of four begin where an object can, the others anywhere. Gives their places, in order;
 * throws where there is no room.
 */
export async function plantInto(dump: string, to: string, items: readonly Buffer[], random: Random): Promise<Spot[]> {
  cpSync(dump, to, { recursive: true });
  const free = await zeroStretches(to);
  const spots: Spot[] = new Array(items.length);
  // The longest first: they have the fewest places to choose from.
  const order = [...items.keys()].sort((a, b) => items[b]!.length - items[a]!.length);
  for (const index of order) {
    const item = items[index]!;
    const wide = free.filter(({ length }) => length >= item.length + 2 * MARGIN + 8);
    if (wide.length === 0) throw new Error(`${dump} has no room for ${item.length} bytes`);
    const stretch = random.pick(wide);
    const offset = Math.ceil((stretch.offset + MARGIN) / 8) * 8 + (random.below(4) === 0 ? random.below(8) : 0);
    const fd = openSync(join(to, stretch.file), 'r+');
    writeSync(fd, item, 0, item.length, offset);
    closeSync(fd);
    spots[index] = { file: stretch.file, offset };
    // What is behind it stays free.
    const end = stretch.offset + stretch.length;
    stretch.offset = offset + item.length;
    stretch.length = end - stretch.offset;
  }
  return spots;
}

/** Where the memory of a dump is zero, within its extents. */
async function zeroStretches(dump: string): Promise<Stretch[]> {
  const source = await openSource(dump, { temporaryFolder: tmpdir() });
  const found: Stretch[] = [];
  try {
    for (const { name, path, start, extents } of source.files.filter((file) =>
      /(^|\/)pages-\d+\.img$/.test(file.name),
    )) {
      const fd = openSync(path, 'r');
      for (const { offset, length } of extents) {
        const bytes = Buffer.alloc(length);
        readSync(fd, bytes, 0, length, start + offset);
        for (const stretch of zerosIn(bytes)) found.push({ file: name, ...stretch, offset: offset + stretch.offset });
      }
      closeSync(fd);
    }
  } finally {
    await source.close();
  }
  return found;
}

function* zerosIn(bytes: Buffer): Generator<{ offset: number; length: number }> {
  // A stretch that long holds one of every SHORTEST positions.
  for (let probe = SHORTEST - 1; probe < bytes.length; probe += SHORTEST) {
    if (bytes[probe] !== 0) continue;
    let first = probe;
    while (first > 0 && bytes[first - 1] === 0) first--;
    let after = probe + 1;
    while (after < bytes.length && bytes[after] === 0) after++;
    if (after - first >= SHORTEST) yield { offset: first, length: after - first };
    probe = after;
  }
}
