import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { SnapshotError } from '../../../../src/errors.ts';
import { agesOf, type Source } from '../../../../src/scan/sources/index.ts';
import { elf } from '../elf.ts';
import { noise, PAGE } from '../placements.ts';
import { Random } from '../random.ts';
import { tar } from '../tar.ts';
import { appFiles } from './app.ts';
import { folderOf, leftovers, open } from './folders.ts';

/** Images that are read for what they tell; of all others every byte is scanned as it is. */
const IMAGES = [...appFiles().keys()].filter((name) => /^(core|files|memfd|mm|pagemap|pstree)/.test(name));

const random = new Random(11);
const archive = tar([...appFiles()].map(([name, content]) => ({ name: `checkpoint/${name}`, content })));
const core = elf([1, 2, 3].map((at) => ({ address: BigInt(at) << 32n, bytes: noise(random, PAGE) })));

/** Files that are given by themselves: their content, and how much of their beginning is worth damaging. */
const FILES: [string, Buffer, number][] = [
  ['core dump', core, core.length - 3 * PAGE],
  ['tar', archive, archive.length],
  ['tar.gz', gzipSync(archive), 4000],
  ['tar.zst', zstdCompressSync(archive), 4000],
];

let heap = 0;
afterEach(() => {
  // Numbers in the images promise terabytes; nobody may have believed them.
  const used = process.memoryUsage();
  heap = Math.max(heap, used.external + used.arrayBuffers);
  expect(heap).toBeLessThan(512 * 2 ** 20);
});

/** Opens it and asks everything that can be asked. An error must be one of those that say what is wrong. */
async function survives(path: string, what: string): Promise<void> {
  let source: Source | undefined;
  try {
    source = await open(path, { unpackLimit: 64 * 2 ** 20 });
    for (const { name, size, extents } of source.files) {
      expect(
        extents.every(({ offset, length }) => offset >= 0 && length > 0 && offset + length <= size),
        what,
      ).toBe(true);
      source.placeOf(name, 0);
      source.placeOf(name, size >> 1);
    }
    const [file] = source.files.filter(({ name }) => source?.memoryOf?.(name));
    if (file) await agesOf(source, [{ file: file.name, offset: Math.min(PAGE, file.size >> 1), bytes: 16 }]);
  } catch (error) {
    expect(error, what).toBeInstanceOf(SnapshotError);
    expect(['DS4002', 'DS6002', 'DS1001'], `${what}: ${(error as Error).message}`).toContain(
      (error as SnapshotError).code,
    );
  } finally {
    await source?.close();
  }
}

function damagedBy(bytes: Buffer, seed: Random, reach: number): Buffer {
  const copy = Buffer.from(bytes);
  const kind = seed.below(4);
  for (let left = 1 + seed.below(4); left > 0; left--) {
    const at = seed.below(Math.max(1, Math.min(reach, copy.length)));
    if (kind === 0) copy[at]! ^= 1 << seed.below(8);
    else if (kind === 1) seed.bytes(1 + seed.below(8)).copy(copy, at);
    else copy.subarray(at, at + seed.pick([1, 4, 8, 9])).fill(kind === 2 ? 0xff : 0);
  }
  return copy;
}

it.each(IMAGES)(
  '%s: cut short at every length it is refused',
  async (name) => {
    const files = appFiles();
    const whole = files.get(name)!;
    // One that ends between two records is whole, as far as anybody can tell.
    const borders = new Set<number>();
    for (let at = 8; at < whole.length; at += 4 + whole.readUInt32LE(at)) borders.add(at);
    const lengths = Array.from({ length: whole.length }, (_, length) => length);
    for (const length of lengths.filter((at) => at < 64 || at % 7 === 0 || at > whole.length - 8)) {
      const path = folderOf(
        new Map([...files].filter(([image]) => image.startsWith('page') || image === name)).set(
          name,
          whole.subarray(0, length),
        ),
      );
      const error = await open(path).catch((thrown: unknown) => thrown);
      if (borders.has(length) && !(error instanceof Error)) continue;
      expect(error, `${length} bytes`).toBeInstanceOf(SnapshotError);
      expect((error as SnapshotError).code, `${length} bytes`).toBe('DS4002');
    }
  },
  20_000,
);

it.each(IMAGES)(
  '%s: survives any damage',
  async (name) => {
    const files = appFiles();
    const seed = new Random(name.length * 31 + name.charCodeAt(0));
    for (let round = 0; round < 40; round++) {
      const damaged = damagedBy(files.get(name)!, seed, Number.POSITIVE_INFINITY);
      await survives(folderOf(new Map(files).set(name, damaged)), `${name}, round ${round}`);
    }
  },
  20_000,
);

it.each(FILES)(
  '%s: survives any damage',
  async (what, bytes, reach) => {
    const seed = new Random(what.length);
    const before = leftovers().length;
    for (let round = 0; round < 80; round++) {
      const path = join(folderOf({ it: damagedBy(bytes, seed, round % 2 === 0 ? reach : 2000) }), 'it');
      await survives(path, `${what}, round ${round}`);
    }
    expect(leftovers()).toHaveLength(before);
  },
  20_000,
);

it.each(FILES)(
  '%s: survives being cut short',
  async (what, bytes, reach) => {
    for (let round = 0; round < 60; round++) {
      const length = round < 30 ? Math.floor((reach * round) / 30) : bytes.length - 1 - (round - 30) * 97;
      await survives(join(folderOf({ it: bytes.subarray(0, Math.max(0, length)) }), 'it'), `${what}, ${length} bytes`);
    }
  },
  20_000,
);
