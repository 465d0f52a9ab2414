import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SnapshotError } from '../../../../src/errors.ts';
import type { Source } from '../../../../src/scan/sources/index.ts';
import { pagemap, present } from '../criu.ts';
import { noise, PAGE } from '../placements.ts';
import { Random } from '../random.ts';
import { AT, appFiles, offsetOf } from './app.ts';
import { folderOf, leftovers, open } from './folders.ts';

async function errorOf(path: string): Promise<SnapshotError> {
  const error = await open(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SnapshotError);
  return error as SnapshotError;
}

function placeIn(source: Source, part: keyof typeof AT, offset = 0) {
  return source.placeOf('pages-1.img', offsetOf(part) + offset);
}

describe('the places in a process', async () => {
  const source = await open(folderOf(appFiles()));

  it.each([
    ['program', 'code or data of a file'],
    ['heap', 'native heap'],
    ['arena', 'native heap'],
    ['gc', 'managed heap'],
    ['loader', 'anonymous memory'],
    ['thread', 'stack'],
    ['anonymous', 'anonymous memory'],
    ['stack', 'stack'],
  ] as const)('%s: %s', (part, mapping) => {
    expect(placeIn(source, part, 24)).toMatchObject({ mapping, pid: 100, process: 'dotnet', address: AT[part] + 24n });
  });

  it('names what is mapped', () => {
    expect(placeIn(source, 'program').mappedFile).toBe('/app/dotnet');
    expect(placeIn(source, 'heap')).not.toHaveProperty('mappedFile');
  });

  it('tells arguments and environment from the stack around them', () => {
    expect(placeIn(source, 'stack', 0x10ff).mapping).toBe('stack');
    expect(placeIn(source, 'stack', 0x1100).mapping).toBe('arguments');
    expect(placeIn(source, 'stack', 0x1200).mapping).toBe('environment');
    expect(placeIn(source, 'stack', 0x1eff).mapping).toBe('environment');
    expect(placeIn(source, 'stack', 0x1f00).mapping).toBe('stack');
  });

  it('tells who maps shared memory, and where', () => {
    // The segment's pages begin at its second page.
    const place = { mapping: 'shared memory', pid: 100, process: 'dotnet' };
    expect(source.placeOf('pages-2.img', 5)).toEqual({ ...place, address: AT.shared + 0x1005n });
    // A memfd of which the mapping shows all but the first page.
    expect(source.placeOf('pages-3.img', 5)).toEqual({
      ...place,
      address: AT.memfd + 0x1005n,
      mappedFile: '/memfd:jit',
    });
    expect(source.files.find(({ name }) => name === 'pages-2.img')?.extents).toEqual([{ offset: 0, length: 2 * PAGE }]);
  });

  it.each([
    ['sk-queues.img', 'socket queue'],
    ['pipes-data.img', 'pipe'],
    ['tty-data.img', 'terminal'],
    ['files.img', 'record'],
  ] as const)('%s: %s', (name, mapping) => {
    expect(source.placeOf(name, 9)).toEqual({ mapping });
  });

  it('knows whose records they are, by thread too', () => {
    expect(source.placeOf('core-101.img', 9)).toEqual({ mapping: 'record', pid: 100, process: 'dotnet' });
  });

  it('covers every byte of every file', () => {
    for (const { name, size, extents } of source.files) {
      expect(
        extents.reduce((sum, { length }) => sum + length, 0),
        name,
      ).toBe(size);
    }
  });
});

describe('a folder with CRIU images', () => {
  it('needs nothing but pages and pagemaps', async () => {
    const files = [...appFiles()].filter(([name]) => name.startsWith('page'));
    const source = await open(folderOf(new Map(files)));
    expect(placeIn(source, 'gc')).toEqual({ mapping: 'anonymous memory', pid: 100, address: AT.gc });
  });

  it('is cut where neighbours in the file are none in memory', async () => {
    const entries = [present(0x1000, 1), present(0x2000, 2), { 1: 0x4000, 2: 0, 4: 0, 5: 9 }, present(0x9000, 1)];
    const pages = noise(new Random(3), 4 * PAGE);
    const source = await open(folderOf({ 'pagemap-5.img': pagemap(1, entries), 'pages-1.img': pages }));
    expect(source.files.find(({ name }) => name === 'pages-1.img')?.extents).toEqual([
      { offset: 0, length: 3 * PAGE, address: 0x1000n, pid: 5 },
      { offset: 3 * PAGE, length: PAGE, address: 0x9000n, pid: 5 },
    ]);
  });

  it.each([16384, 65536])('may have pages of %i bytes', async (size) => {
    const pages = Buffer.alloc(3 * size);
    const entries = [present(0x100000, 2), present(0x900000, 1)];
    const source = await open(folderOf({ 'pagemap-5.img': pagemap(1, entries), 'pages-1.img': pages }));
    expect(source.files[1]?.extents.map(({ length }) => length)).toEqual([2 * size, size]);
  });

  it('may be in the output of a build, with hints in its manifest', async () => {
    const gcHeap = `${AT.anonymous.toString(16)}-${(AT.anonymous + 0x1000n).toString(16)}`;
    const manifest = { runtime: { gcHeap, stringType: '7f2000000800' }, process: { pid: 100 } };
    const folder = folderOf({
      'snapshot/manifest.json': Buffer.from(JSON.stringify(manifest)),
      'report.md': Buffer.from('x'),
    });
    mkdirSync(join(folder, 'snapshot/checkpoint'));
    for (const [name, bytes] of appFiles()) writeFileSync(join(folder, 'snapshot/checkpoint', name), bytes);
    const pages = 'checkpoint/pages-1.img';
    for (const path of [folder, join(folder, 'snapshot')]) {
      const source = await open(path);
      const names = source.files.map(({ name }) => name);
      expect(names).toContain('manifest.json');
      expect(names).not.toContain('report.md');
      expect(source.placeOf(pages, offsetOf('anonymous')).mapping).toBe('managed heap');
      expect(source.placeOf(pages, offsetOf('gc')).mapping).toBe('anonymous memory');
      expect(source.memoryOf?.(pages)?.stringType).toBe(0x7f2000000800n);
    }
    const inner = await open(join(folder, 'snapshot/checkpoint'));
    expect(placeIn(inner, 'anonymous').mapping).toBe('managed heap');
  });

  it.each([
    ['runtime', { process: { pid: 100 } }],
    ['PID', { runtime: {} }],
  ])('may have canaries in a manifest that names no %s', async (_what, rest) => {
    const canary = { encoding: 'utf-8', sha256: '0'.repeat(64) };
    const manifest = Buffer.from(JSON.stringify({ ...rest, canaries: [canary] }));
    const source = await open(folderOf(new Map([...appFiles(), ['manifest.json', manifest]])));
    expect(source.planted).toEqual([canary]);
  });

  it('takes what the runtime reserved where the heap has another form', async () => {
    const files = appFiles(undefined, false);
    expect(placeIn(await open(folderOf(files)), 'gc').mapping).toBe('anonymous memory');
    const reservedMemory = [{ start: AT.gc - 0x1000n, end: AT.gc + 0x4000n }];
    const source = await open(folderOf(files), { hints: { pid: 100, reservedMemory } });
    expect(placeIn(source, 'gc').mapping).toBe('managed heap');
  });

  it('keeps processes of two folders apart', async () => {
    const files = new Map<string, Buffer>();
    for (const pod of ['a', 'b']) for (const [name, bytes] of appFiles()) files.set(`${pod}/checkpoint/${name}`, bytes);
    files.set('b/checkpoint/core-100.img', Buffer.from(files.get('b/checkpoint/core-100.img')!));
    files.get('b/checkpoint/core-100.img')!.write('worker', files.get('b/checkpoint/core-100.img')!.indexOf('dotnet'));
    const source = await open(folderOf(files));
    expect(source.placeOf('a/checkpoint/pages-1.img', 0).process).toBe('dotnet');
    expect(source.placeOf('b/checkpoint/pages-1.img', 0).process).toBe('worker');
  });
});

describe('what can not be assigned or read whole', () => {
  const pages = noise(new Random(4), 2 * PAGE);
  it.each<[string, Record<string, Buffer>]>([
    ['pages without a pagemap', { 'pages-1.img': pages }],
    [
      'pages that no pagemap names',
      { 'pagemap-5.img': pagemap(1, []), 'pages-1.img': Buffer.alloc(0), 'pages-2.img': pages },
    ],
    ['a pagemap without pages', { 'pagemap-5.img': pagemap(1, [present(0, 2)]) }],
    [
      'pages of two pagemaps',
      {
        'pagemap-5.img': pagemap(1, [present(0, 2)]),
        'pagemap-6.img': pagemap(1, [present(0, 2)]),
        'pages-1.img': pages,
      },
    ],
    ['pages beyond the file', { 'pagemap-5.img': pagemap(1, [present(0, 3)]), 'pages-1.img': pages }],
    ['pages that are not told of', { 'pagemap-5.img': pagemap(1, [present(0, 1)]), 'pages-1.img': pages }],
    ['pages that no memory has', { 'pagemap-5.img': pagemap(1, [present(0, 2 ** 50)]), 'pages-1.img': pages }],
    ['another image as a pagemap', { 'pagemap-5.img': appFiles().get('mm-100.img')!, 'pages-1.img': pages }],
    ['an empty pagemap', { 'pagemap-5.img': Buffer.alloc(0), 'pages-1.img': pages }],
  ])('%s', async (_what, files) => {
    expect((await errorOf(folderOf(files))).code).toBe('DS4002');
  });

  it.each([{ 3: 1 }, { 4: 1 }, { 4: 5 }])('pages in a parent snapshot %o, and what to do', async (fields) => {
    const entries = [{ 1: 0x1000, 2: 0, 4: 4, ...fields, 5: 2 }];
    const error = await errorOf(folderOf({ 'pagemap-5.img': pagemap(1, entries), 'pages-1.img': pages }));
    expect(error.code).toBe('DS4002');
    expect(error.fix).toContain('--with-previous');
  });

  it('a link to a parent snapshot, and other links', async () => {
    const folder = folderOf(appFiles());
    symlinkSync('../other', join(folder, 'parent'));
    expect((await errorOf(folder)).fix).toContain('--prev-images-dir');
    const linked = folderOf(appFiles());
    symlinkSync('/etc/hostname', join(linked, 'name'));
    expect((await errorOf(linked)).code).toBe('DS4002');
  });

  it('an empty folder, one without images, and none', async () => {
    for (const path of [folderOf({}), folderOf({ 'a.txt': pages }), '/does/not/exist', 'a\0b']) {
      expect((await errorOf(path)).code).toBe('DS6002');
    }
  });

  it('leaves nothing behind', () => {
    // The sources above that could be opened have a folder each; those that could not have none.
    expect(leftovers().length).toBeLessThan(20);
  });
});
