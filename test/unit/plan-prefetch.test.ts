import { expect, test } from 'vitest';
import { PAGE, STEP } from '../../src/plan/format.ts';
import type { Step } from '../../src/plan/memory.ts';
import { prefetches } from '../../src/plan/prefetch.ts';

const BASE = 0x7f00_0000_0000;

/** A mapping of ten pages at page `first`, from page `offset` of what it maps. */
function step(kind: Step['kind'], first: number, offset: number, source: Step['source'] = 0): Step {
  const [start, bytes] = [BASE + first * PAGE, 10 * PAGE];
  return { kind, start, end: start + bytes, prot: 1, flags: 2, offset: offset * PAGE, source };
}

function pages(first: number, end: number) {
  return { start: BASE + first * PAGE, end: BASE + end * PAGE };
}

/** Path, first page and number of pages of each part. */
function found(steps: Step[], hotPages: number, needed: Parameters<typeof prefetches>[2]): unknown[] {
  const paths = new Map([[7, '/app/data']]);
  return prefetches({ steps }, hotPages * PAGE, needed, (descriptor) => paths.get(descriptor)).map((part) => [
    part.path,
    part.offset / PAGE,
    part.bytes / PAGE,
  ]);
}

test('what the first answer needs of files, in places of the file', () => {
  const steps = [
    step(STEP.FILE, 0, 100, '/lib/a.so'),
    step(STEP.DESCRIPTOR, 20, 5, 7),
    step(STEP.DESCRIPTOR, 40, 5, 8),
  ];
  const files = [pages(2, 4), pages(21, 22), pages(41, 42), pages(70, 71)];
  expect(found(steps, 0, { files, pages: [] })).toEqual([
    ['/lib/a.so', 102, 2],
    ['/app/data', 6, 1],
  ]);
});

test('what it needs of the pages file behind the hot part, first of all', () => {
  const steps = [step(STEP.FILE, 0, 0, '/lib/a.so'), step(STEP.PAGES, 20, 0), step(STEP.PAGES, 40, 50)];
  expect(found(steps, 30, { files: [pages(0, 1)], pages: [pages(20, 22), pages(45, 46)] })).toEqual([
    ['', 55, 1],
    ['/lib/a.so', 0, 1],
  ]);
});

test('parts that lie close together are fetched as one, also of two mappings', () => {
  const steps = [
    step(STEP.FILE, 0, 0, '/lib/a.so'),
    step(STEP.FILE, 20, 10, '/lib/a.so'),
    step(STEP.FILE, 40, 40, '/lib/a.so'),
  ];
  expect(found(steps, 0, { files: [pages(8, 9), pages(22, 23), pages(40, 41)], pages: [] })).toEqual([
    ['/lib/a.so', 8, 5],
    ['/lib/a.so', 40, 1],
  ]);
});
