import { describe, expect, it } from 'vitest';
import { agesOf, type TextAt } from '../../../../src/scan/sources/index.ts';
import { pagemap, present } from '../criu.ts';
import { PAGE } from '../placements.ts';
import { AT, appFiles, offsetOf } from './app.ts';
import { folderOf, open } from './folders.ts';

/** Where the test's types are: in memory of the runtime. */
const TYPES = { string: AT.loader + 0x100n, chars: AT.loader + 0x140n, bytes: AT.loader + 0x180n };

/** Memory of the process in which objects can be put. */
class Heap {
  readonly memory = Buffer.alloc(offsetOf('stack') + 2 * PAGE);
  #free = 0x40;

  constructor() {
    for (const [address, itemSize, baseSize] of [
      [TYPES.string, 2, 22],
      [TYPES.chars, 2, 24],
      [TYPES.bytes, 1, 24],
    ] as const) {
      const at = offsetOf('loader') + Number(address - AT.loader);
      this.memory.writeUInt32LE((0x80000000 | itemSize) >>> 0, at);
      this.memory.writeUInt32LE(baseSize, at + 4);
    }
  }

  /** Puts a text; `inside` seeks a part of it. */
  put(type: keyof typeof TYPES, text: string, inside = text): { address: bigint; at: TextAt } {
    const encoding = type === 'bytes' ? 'utf8' : 'utf16le';
    const bytes = Buffer.from(text, encoding);
    const start = this.#free;
    const offset = offsetOf('gc') + start;
    this.memory.writeBigUInt64LE(TYPES[type], offset);
    this.memory.writeUInt32LE(type === 'bytes' ? bytes.length : bytes.length / 2, offset + 8);
    const items = type === 'string' ? 12 : 16;
    bytes.copy(this.memory, offset + items);
    this.#free = Math.ceil((start + items + bytes.length + 2) / 8) * 8 + 8;
    const sought = Buffer.from(inside, encoding);
    const found = { file: 'pages-1.img', offset: offset + items + bytes.indexOf(sought), bytes: sought.length };
    return { address: AT.gc + BigInt(start), at: found };
  }

  /** Puts a pointer anywhere. */
  point(part: keyof typeof AT, offset: number, address: bigint): void {
    this.memory.writeBigUInt64LE(address, offsetOf(part) + offset);
  }

  async agesOf(...texts: TextAt[]) {
    return agesOf(await open(folderOf(appFiles(this.memory))), texts);
  }
}

describe('the age of an object', () => {
  it.each(['string', 'chars', 'bytes'] as const)(
    '%s: live where something points to it, else garbage',
    async (type) => {
      const heap = new Heap();
      const kept = heap.put(type, 'a text that is kept');
      const dropped = heap.put(type, 'a text that is not kept');
      heap.point('gc', 0x2000, kept.address);
      expect(await heap.agesOf(kept.at, dropped.at)).toEqual(['live', 'garbage']);
    },
  );

  it('is that of the object around: a password in a connection string', async () => {
    const heap = new Heap();
    const kept = heap.put('string', 'Server=db;Password=abcdefgh;', 'abcdefgh');
    const dropped = heap.put('string', 'Server=db;Password=ijklmnop;', 'ijklmnop');
    heap.point('anonymous', 0x10, kept.address);
    expect(await heap.agesOf(dropped.at, kept.at)).toEqual(['garbage', 'live']);
  });

  it('counts what points into it, on stacks and in registers too', async () => {
    const heap = new Heap();
    const span = heap.put('string', 'a text that a span is over');
    heap.point('thread', 0x100, span.address + 20n);
    const registers = heap.put('string', 'a text in a register');
    const source = await open(folderOf(appFiles(heap.memory)));
    const held = { ...source, memoryOf: () => ({ registers: [registers.address] }) };
    expect(await agesOf(held, [span.at, registers.at])).toEqual(['live', 'live']);
  });

  it('does not count words that no pointer can be', async () => {
    const heap = new Heap();
    const dropped = heap.put('string', 'a text that is not kept');
    // Not at a multiple of eight, and right beside the object.
    heap.point('anonymous', 0x14, dropped.address);
    heap.point('anonymous', 0x20, dropped.address - 8n);
    heap.point('anonymous', 0x28, dropped.address + 0x100n);
    expect(await heap.agesOf(dropped.at)).toEqual(['garbage']);
  });

  it('is not told of what is no object', async () => {
    const heap = new Heap();
    const dropped = heap.put('string', 'a text that is not kept');
    const native = { file: 'pages-1.img', offset: offsetOf('heap') + 64, bytes: 10 };
    const behind = { ...dropped.at, offset: dropped.at.offset + 200 };
    const reaching = { ...dropped.at, bytes: dropped.at.bytes + 2 };
    const record = { file: 'pipes-data.img', offset: 8, bytes: 5 };
    const shared = { file: 'pages-2.img', offset: 8, bytes: 5 };
    expect(await heap.agesOf(native, behind, reaching, record, shared)).toEqual(Array(5).fill(undefined));
    expect(await heap.agesOf()).toEqual([]);
  });

  it('is told in a heap that only its objects give away', async () => {
    const heap = new Heap();
    const text = heap.put('string', 'a text that is not kept');
    const source = await open(folderOf(appFiles(heap.memory, false)));
    expect(source.placeOf('pages-1.img', text.at.offset)).toMatchObject({ mapping: 'managed heap', pid: 100 });
    expect(source.placeOf('pages-1.img', text.at.offset + 200).mapping).toBe('anonymous memory');
    expect(await agesOf(source, [text.at])).toEqual(['garbage']);
  });

  it('needs the types in memory, or to be told that of strings', async () => {
    const heap = new Heap();
    const text = heap.put('string', 'a text that is not kept');
    heap.memory.fill(0, offsetOf('loader'), offsetOf('loader') + PAGE);
    const files = appFiles(heap.memory);
    expect(await agesOf(await open(folderOf(files)), [text.at])).toEqual([undefined]);
    const told = await open(folderOf(files), { hints: { pid: 100, stringType: TYPES.string } });
    expect(await agesOf(told, [text.at])).toEqual(['garbage']);
  });

  it('is not told at addresses that no process has', async () => {
    const files = {
      'pagemap-7.img': pagemap(1, [present((1n << 64n) - 0x8000n, 2)]),
      'pages-1.img': Buffer.alloc(2 * PAGE),
    };
    const source = await open(folderOf(files));
    expect(source.placeOf('pages-1.img', 100).mapping).toBe('anonymous memory');
    expect(await agesOf(source, [{ file: 'pages-1.img', offset: 100, bytes: 8 }])).toEqual([undefined]);
  });

  it('is found in objects of 64 KiB, at the start of memory', async () => {
    const memory = Buffer.alloc(40 * PAGE);
    memory.writeUInt32LE(0x80000001, 0x100);
    memory.writeUInt32LE(24, 0x104);
    memory.writeBigUInt64LE(0x10100n, 0);
    memory.writeUInt32LE(66_000, 8);
    memory.writeBigUInt64LE(0x10008n, 100_000);
    const files = { 'pagemap-7.img': pagemap(1, [present(0x10000, 40)]), 'pages-1.img': memory };
    const source = await open(folderOf(files));
    expect(await agesOf(source, [{ file: 'pages-1.img', offset: 60_001, bytes: 20 }])).toEqual(['live']);
  });
});
