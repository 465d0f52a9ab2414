import type { Random } from './random.ts';

/** Damage to bytes, as disks, networks and enemies do it. */
export const MUTATIONS: readonly [what: string, mutate: (bytes: Buffer, random: Random) => Buffer][] = [
  ['cut short', (bytes, random) => bytes.subarray(0, random.below(bytes.length))],
  ['cut short by a byte', (bytes) => bytes.subarray(0, -1)],
  ['empty', () => Buffer.alloc(0)],
  ['longer', (bytes, random) => Buffer.concat([bytes, random.bytes(1 + random.below(64))])],
  ['twice', (bytes) => Buffer.concat([bytes, bytes])],
  [
    'with a flipped bit',
    (bytes, random) => replaced(bytes, random.below(bytes.length), (old) => old ^ (1 << random.below(8))),
  ],
  ['with other bytes', (bytes, random) => overwritten(bytes, random, random.bytes(1 + random.below(8)))],
  ['with a huge number', (bytes, random) => overwritten(bytes, random, Buffer.alloc(random.pick([2, 4, 8, 10]), 0xff))],
  ['with the largest number', (bytes, random) => overwritten(bytes, random, Buffer.of(0xff, 0xff, 0xff, 0x7f))],
  ['with zeros', (bytes, random) => overwritten(bytes, random, Buffer.alloc(random.pick([4, 16, 512])))],
  [
    'without some bytes',
    (bytes, random) => {
      const at = random.below(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(16))]);
    },
  ],
  ['other bytes altogether', (bytes, random) => random.bytes(bytes.length)],
];

function replaced(bytes: Buffer, at: number, change: (old: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  if (bytes.length > 0) copy[at] = change(copy[at]!);
  return copy;
}

function overwritten(bytes: Buffer, random: Random, by: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  // Headers are at the beginning, and most that can go wrong goes wrong there.
  const reach = random.below(2) === 0 ? Math.min(bytes.length, 64) : bytes.length;
  by.copy(copy, random.below(Math.max(1, reach)));
  return copy;
}
