import { expect, test } from 'vitest';
import { ADVICE, type Area, addressSpace, MAP, type Span } from '../../src/plan/areas.ts';
import { PAGE, STEP } from '../../src/plan/format.ts';
import type { Run } from '../../src/plan/images.ts';
import { type Memory, mapMemory, type Step } from '../../src/plan/memory.ts';
import type { VmaEntry } from '../../src/plan/messages.ts';
import { Refusals } from '../../src/plan/refusals.ts';

const BASE = 0x7f00_0000_0000;
/** A restored app that needs nothing at first. */
const COLD = { read: [], written: [] };
const PRIVATE = MAP.PRIVATE | MAP.ANONYMOUS;

/** An area from one page to another; reads, writes and executes as `prot` says. */
function area(first: number, end: number, prot: number, more: Partial<Area> = {}): Area {
  const span = { start: BASE + first * PAGE, end: BASE + end * PAGE };
  const plain = {
    kind: STEP.ANONYMOUS,
    source: 0,
    offset: 0,
    flags: PRIVATE,
    advice: 0,
    locked: false,
    mappable: true,
  };
  return { ...span, ...plain, prot, writableLater: false, ...more };
}

function file(first: number, end: number, prot: number, offset = 0): Area {
  return area(first, end, prot, { kind: STEP.FILE, source: '/lib/a.so', flags: MAP.PRIVATE, offset: offset * PAGE });
}

/** Content from one page to another. */
function run(first: number, end: number): Run {
  const bytes = (end - first) * PAGE;
  return {
    start: BASE + first * PAGE,
    end: BASE + end * PAGE,
    source: { file: 'pages-1.img', offset: first * PAGE, bytes },
  };
}

function span(first: number, end: number) {
  return { start: BASE + first * PAGE, end: BASE + end * PAGE };
}

const NAMES = Object.entries(STEP);

/** Steps for people: kind, first page and end, then what else counts. */
function told(steps: Step[]): string[] {
  return steps.map(({ kind, start, end, prot, flags }) => {
    const name = NAMES.find(([, number]) => number === kind)![0];
    const what = kind === STEP.ADVISE ? `advice ${flags}` : `prot ${prot}`;
    return `${name} ${(start - BASE) / PAGE}-${(end - BASE) / PAGE} ${what}`;
  });
}

function filled({ fills }: Memory): string[] {
  return fills.map(({ start, end }) => `${(start - BASE) / PAGE}-${(end - BASE) / PAGE}`);
}

test('a large writable area is mapped, and small content is read', () => {
  const memory = mapMemory([area(0, 100, 3)], [run(2, 4), run(40, 70)], [], COLD);
  expect(told(memory.steps)).toEqual(['ANONYMOUS 0-100 prot 3', 'PAGES 40-70 prot 3']);
  expect(filled(memory)).toEqual(['2-4']);
});

test('an area that is nearly full is mapped whole, with zeros where it has nothing', () => {
  const memory = mapMemory([area(0, 40, 3)], [run(1, 20), run(21, 38)]);
  expect(told(memory.steps)).toEqual(['PAGES 0-40 prot 3']);
  expect(memory.steps[0]!.flags).toBe(MAP.PRIVATE | MAP.FIXED);
  expect(memory.fills).toEqual([]);
});

test('what can’t be written is mapped with its own protection, whatever its size', () => {
  const memory = mapMemory([area(0, 100, 1)], [run(2, 3)]);
  expect(told(memory.steps)).toEqual(['ANONYMOUS 0-100 prot 1', 'PAGES 2-3 prot 1']);
  expect(memory.fills).toEqual([]);
});

test('a page of a file that the app did not change comes from the file, and from nowhere else', () => {
  const memory = mapMemory([file(0, 100, 3)], [run(10, 30), run(32, 60)]);
  expect(told(memory.steps)).toEqual(['FILE 0-100 prot 3', 'PAGES 10-30 prot 3', 'PAGES 32-60 prot 3']);
});

test('a part of a file that the app has changed whole needs no file, and goes with the memory behind it', () => {
  const memory = mapMemory([file(0, 4, 5), file(4, 6, 3, 4), area(6, 40, 3)], [run(4, 6)], [], COLD);
  expect(told(memory.steps)).toEqual(['FILE 0-4 prot 5', 'ANONYMOUS 4-40 prot 3']);
  expect(filled(memory)).toEqual(['4-6']);
});

test('neighbours that differ in nothing are made at once', () => {
  expect(told(mapMemory([area(0, 4, 3), area(4, 9, 3), area(9, 12, 1)], []).steps)).toEqual([
    'ANONYMOUS 0-9 prot 3',
    'ANONYMOUS 9-12 prot 1',
  ]);
  expect(told(mapMemory([file(0, 4, 1, 0), file(4, 9, 1, 4), file(9, 12, 1, 20)], []).steps)).toHaveLength(2);
});

test('addresses that are only reserved are covered by one mapping, and advised by one call', () => {
  const dump = { advice: 1 << ADVICE.DONTDUMP };
  const heap = [area(0, 5, 0, dump), area(5, 8, 3), area(8, 20, 0, dump), area(20, 22, 7), area(22, 40, 0, dump)];
  const memory = mapMemory(heap, []);
  expect(told(memory.steps)).toEqual([
    'ANONYMOUS 0-40 prot 0',
    'ADVISE 0-40 advice 16',
    'ANONYMOUS 5-8 prot 3',
    'ANONYMOUS 20-22 prot 7',
  ]);
  expect(memory.steps[1]!.source).toBe(1);
});

test('advice that reserved addresses share with what lies between is given once for all', () => {
  const huge = { advice: 1 << ADVICE.NOHUGEPAGE };
  const stacks = [area(0, 1, 0, huge), area(1, 9, 3, huge), area(9, 10, 0, huge), area(10, 18, 3, huge)];
  expect(told(mapMemory(stacks, []).steps)).toEqual([
    'ANONYMOUS 0-10 prot 0',
    'ANONYMOUS 1-9 prot 3',
    'ANONYMOUS 10-18 prot 3',
    'ADVISE 0-18 advice 15',
  ]);
});

test('reserved addresses of two kinds are covered inside of one another, never over one another', () => {
  const dump = { advice: 1 << ADVICE.DONTDUMP };
  const mixed = [area(0, 1, 0), area(1, 2, 0, dump), area(2, 3, 3), area(3, 4, 0, dump), area(4, 5, 0), area(5, 6, 3)];
  expect(told(mapMemory(mixed, []).steps)).toEqual([
    'ANONYMOUS 0-5 prot 0',
    'ANONYMOUS 1-4 prot 0',
    'ADVISE 1-4 advice 16',
    'ANONYMOUS 2-3 prot 3',
    'ANONYMOUS 5-6 prot 3',
  ]);
});

test('a stack that grows is filled, not mapped', () => {
  const stack = area(0, 40, 3, { flags: PRIVATE | MAP.GROWSDOWN });
  const memory = mapMemory([stack], [run(10, 40)]);
  expect(told(memory.steps)).toEqual(['ANONYMOUS 0-40 prot 3', 'ADVISE 10-40 advice 23']);
  expect(filled(memory)).toEqual(['10-40']);
});

test('content that has to be read into what can’t be written is protected afterwards', () => {
  const wiped = area(0, 4, 1, { advice: 1 << ADVICE.WIPEONFORK });
  const memory = mapMemory([wiped], [run(1, 2)]);
  expect(told(memory.steps)).toEqual(['ANONYMOUS 0-4 prot 3', 'ADVISE 0-4 advice 18']);
  expect(told(memory.late)).toEqual(['PROTECT 0-4 prot 1']);
});

test('guards are set at the end, and no mapping hides one', () => {
  const memory = mapMemory([area(0, 100, 3)], [run(0, 49), run(50, 100)], [span(49, 50)]);
  expect(told(memory.steps)).toEqual(['ANONYMOUS 0-100 prot 3', 'PAGES 0-49 prot 3', 'PAGES 50-100 prot 3']);
  expect(told(memory.late)).toEqual(['ADVISE 49-50 advice 102']);
});

test('what is written first is copied at once', () => {
  const areas = [area(0, 40, 3), area(100, 180, 3)];
  const hot = { read: [span(120, 130), span(134, 150), span(178, 179)], written: [span(0, 30), span(104, 105)] };
  const memory = mapMemory(areas, [run(0, 40), run(100, 180)], [], hot);
  expect(told(memory.steps)).toEqual(['ANONYMOUS 0-40 prot 3', 'PAGES 100-180 prot 3', 'ADVISE 0-40 advice 23']);
  expect(filled(memory)).toEqual(['0-40']);
  expect(told(memory.late)).toEqual(['ADVISE 104-105 advice 23']);
  expect(memory.late.every(({ source }) => source === 1)).toBe(true);
});

test('memory whose owner may rely on zeros in what it gave back is read, never mapped', () => {
  const [file, heap, runtimes, anothers] = [
    vma(0, 40, 0x41, { flags: MAP.PRIVATE }),
    vma(50, 90, 0x221),
    vma(100, 140, 0x201),
    vma(200, 240, 0x201),
  ];
  const content = [run(0, 40), run(50, 90), run(100, 140), run(200, 240)];
  const mappedWith = (ofRuntime: Span[] | undefined) => {
    const below = () => ({ kind: STEP.FILE, source: '/lib/a.so' });
    const { areas } = addressSpace([file, heap, runtimes, anothers], below, ofRuntime, new Refusals());
    return told(mapMemory(areas, content, [], COLD).steps).filter((step) => step.startsWith('PAGES'));
  };
  expect(mappedWith([span(96, 160)])).toEqual(['PAGES 0-40 prot 3', 'PAGES 50-90 prot 3', 'PAGES 100-140 prot 3']);
  // With another allocator in the process nothing is known of any.
  expect(mappedWith(undefined)).toEqual(['PAGES 0-40 prot 3']);
});

test('for a clone that is to show what it asks for, all is mapped that can be', () => {
  const memory = mapMemory([area(0, 100, 3)], [run(2, 4), run(40, 42)]);
  expect(told(memory.steps)).toEqual(['ANONYMOUS 0-100 prot 3', 'PAGES 2-4 prot 3', 'PAGES 40-42 prot 3']);
  expect(memory.fills).toEqual([]);
});

test('locked memory is locked once it is whole', () => {
  const memory = mapMemory([area(0, 4, 3, { locked: true })], [run(0, 1)]);
  expect(told(memory.late)).toEqual(['LOCK 0-4 prot 0']);
});

test('content outside of private memory is a defect that is not passed over', () => {
  expect(() => mapMemory([area(0, 4, 3)], [run(3, 5)])).toThrow('is in no private memory');
});

function vma(first: number, end: number, status: number, more: Partial<VmaEntry> = {}): VmaEntry {
  const { start, end: stop } = span(first, end);
  const plain = { pgoff: 0n, shmid: 0n, prot: 3, flags: PRIVATE, madv: 0n, fdflags: 0 };
  return { ...plain, start: BigInt(start), end: BigInt(stop), status, ...more };
}

test('the kernel’s own areas are set apart, guards too, and what can’t be restored is named', () => {
  const refusals = new Refusals();
  const space = addressSpace(
    [
      vma(0, 4, 0x201),
      vma(10, 14, 0x1201, { prot: 1 }),
      vma(14, 16, 0x209, { prot: 5 }),
      vma(20, 24, 0x401),
      { ...vma(0, 1, 0x201), start: 0x40_0000n, end: 0x40_1000n },
      { ...vma(0, 1, 4), start: 0xffff_ffff_ff60_0000n, end: 0xffff_ffff_ff60_1000n },
      vma(1, 2, 1 << 16),
    ],
    () => undefined,
    [],
    refusals,
  );
  expect(space.areas).toEqual([area(0, 4, 3, { mappable: false })]);
  expect(space.guards).toEqual([span(1, 2)]);
  expect(space.vdso).toEqual({ ...span(10, 16), vvarBytes: 4 * PAGE, code: span(14, 16) });
  expect(() => refusals.check()).toThrow(
    /2 things: memory below 4 GiB at 0x400000; System V shared memory at 0x7f0000014000/,
  );
});
