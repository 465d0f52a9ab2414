import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonValue } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import xxhash from 'xxhash-wasm';
import type { Manifest } from '../../src/model/index.ts';
import { compilePlan } from '../../src/plan/compile.ts';
import { newFolder } from '../harness/folder.ts';
import { type Entry, writeImages } from './plan-images.ts';

const BASE = 0x7f00_0000_0000;
const PAGE = 4096;
const COLD = { read: [], written: [], files: [] };

const manifest = {
  kept: [],
  id: 'abcdef012345',
  app: { command: ['dotnet', 'Shop.dll'] },
  process: { pid: 1000, stdout: 'pipe:[1]', stderr: 'pipe:[2]', controlIn: 'pipe:[3]', controlOut: 'pipe:[4]' },
  host: { architecture: 'x86_64' },
  runtime: { reservedMemory: '7000000000-7f8000000000' },
  cpu: { isa: 'x86-64-v3', features: ['avx', 'avx2'] },
  hookSeconds: 10,
  semaphores: [],
  appFiles: [{ path: '/app/Shop.dll', bytes: 7, modified: 8, xxh64: 'ef46db3751d8e999' }],
} as unknown as Manifest;

function vma(first: number, end: number, prot: number, more: Record<string, JsonValue> = {}): JsonValue {
  return { start: `${BASE + first * PAGE}`, end: `${BASE + end * PAGE}`, prot, flags: 0x22, status: 0x201, ...more };
}

function core(more: Record<string, JsonValue> = {}): Entry[] {
  const gpregs = { ip: '77', sp: '88', fsBase: '99', mode: 1 };
  return [['core_entry', { threadInfo: { gpregs }, threadCore: { comm: 'dotnet' }, ...more }]];
}

/** Image files of a small process: a file that is mapped and open, and memory with 30 pages of its own. */
async function process(more: Record<string, Entry[]> = {}): Promise<string> {
  const folder = newFolder();
  const tc = {
    ...{ taskState: 1, blkSigset: '5', comm: 'dotnet', sigactions: Array.from({ length: 62 }, () => ({})) },
    rlimits: { rlimits: Array.from({ length: 16 }, () => ({ cur: '1024', max: '1024' })) },
  };
  const file = (id: number, name: string): Entry => ['file_entry', { type: 1, id, reg: { name, fown: {} } }];
  await writeImages(folder, {
    pstree: [['pstree_entry', { pid: 1000, threads: [1000, 1001] }]],
    'ids-1000': [['task_kobj_ids_entry', { filesId: 2 }]],
    'fs-1000': [['fs_entry', { cwdId: 2, rootId: 3, umask: 18 }]],
    'core-1000': core({ tc }),
    'core-1001': core(),
    files: [file(1, '/usr/bin/dotnet'), file(2, '/app'), file(3, '/')],
    'fdinfo-2': [['fdinfo_entry', { id: 1, type: 1, fd: 5, flags: 1 }]],
    'mm-1000': [
      [
        'mm_entry',
        {
          exeFileId: 1,
          dumpable: 1,
          mmSavedAuxv: ['6', '4096'],
          vmas: [vma(0, 4, 1, { status: 0x41, flags: 2, shmid: '1' }), vma(8, 108, 3), vma(200, 240, 3)],
        },
      ],
    ],
    'pagemap-1000': [
      ['pagemap_head', { pagesId: 1 }],
      ['pagemap_entry', { vaddr: `${BASE + 10 * PAGE}`, compatNrPages: 2, flags: 4 }],
      ['pagemap_entry', { vaddr: `${BASE + 40 * PAGE}`, compatNrPages: 0, nrPages: '20', flags: 4 }],
      ['pagemap_entry', { vaddr: `${BASE + 202 * PAGE}`, nrPages: '38', flags: 6 }],
    ],
    ...more,
  });
  const pages = Buffer.concat(Array.from({ length: 60 }, (_, index) => Buffer.alloc(PAGE, index + 1)));
  await writeFile(join(folder, 'pages-1.img'), pages);
  return folder;
}

test('a process becomes a plan and its pages, in the order in which they are needed', async () => {
  const images = await process();
  const output = join(images, 'out');
  const at = (page: number) => BigInt(BASE + page * PAGE);
  const hot = { read: [{ start: at(205), end: at(235) }], written: [], files: [] };
  const summary = await compilePlan({ images, manifest, hot }, output);
  const [plan, pages] = [await readFile(join(output, 'plan')), await readFile(join(output, 'pages'))];
  // What is read, the mapping that the first answer needs, with its two pages of zeros, then the other.
  expect(pages.length / PAGE).toBe(2 + 40 + 20);
  expect([0, 1, 2, 4, 41, 42, 61].map((page) => pages[page * PAGE])).toEqual([1, 2, 0, 23, 60, 3, 22]);
  expect(summary).toEqual({
    ...{ planBytes: plan.length, pagesBytes: 62 * PAGE, hotBytes: 42 * PAGE },
    ...{ mappings: 4, fills: 1, descriptors: 1, threads: 2 },
  });
  const { h64Raw } = await xxhash();
  expect(plan.subarray(0, 8).toString('latin1')).toBe('SHOTPLAN');
  expect(Number(plan.readBigUInt64LE(16))).toBe(plan.length);
  expect(plan.readBigUInt64LE(24)).toBe(h64Raw(plan.subarray(32)));
  expect([32, 36, 40, 44, 68, 72].map((offset) => plan.readUInt32LE(offset))).toEqual([62, 1, 1000, 25000, 18, 6]);
  expect(Number(plan.readBigUInt64LE(80))).toBe(60 * PAGE);
  expect(plan.readBigUInt64LE(96)).toBe(h64Raw(pages));
  expect(plan.readBigUInt64LE(112)).toBe(h64Raw(pages.subarray(0, 42 * PAGE)));
  for (const text of ['abcdef012345', 'avx avx2', '/usr/bin/dotnet', 'Shop.dll', '/app/Shop.dll'])
    expect(plan.includes(`\0${text}\0`)).toBe(true);
});

test('what is in pipes, deleted files and shared memory lies behind the memory', async () => {
  const file = (type: number, id: number, more: Record<string, JsonValue>): Entry => [
    'file_entry',
    { type, id, ...more },
  ];
  const fd = (type: number, id: number, fd: number): Entry => ['fdinfo_entry', { type, id, fd }];
  const images = await process({
    files: [
      ...[file(1, 1, { reg: { name: '/usr/bin/dotnet', fown: {} } }), file(1, 2, { reg: { name: '/app', fown: {} } })],
      ...[file(1, 3, { reg: { name: '/', fown: {} } }), file(1, 4, { reg: { name: '/tmp/gone', fown: {} } })],
      ...[file(2, 5, { pipe: { pipeId: 9, fown: {} } }), file(2, 6, { pipe: { pipeId: 9, flags: 1, fown: {} } })],
      file(18, 7, { memfd: { inodeId: 1, fown: {} } }),
    ],
    'fdinfo-2': [fd(1, 4, 3), fd(2, 5, 4), fd(2, 6, 5), fd(18, 7, 6)],
    'pipes-data': [
      ['pipe_data_entry', { pipeId: 8, bytes: 3, size: 4096 }, Buffer.from('abc')],
      ['pipe_data_entry', { pipeId: 9, bytes: 5, size: 8192 }, Buffer.from('water')],
    ],
    'remap-fpath': [['remap_file_path_entry', { origId: 4, remapId: 10, remapType: 1 }]],
    'ghost-file-a': [
      ['ghost_file_entry', { mode: 0o100644, chunks: true, size: '9000' }],
      ['ghost_chunk_entry', { off: '2', len: '2' }, Buffer.from('hi')],
      ['ghost_chunk_entry', { off: '8996', len: '4' }, Buffer.from('end.')],
    ],
    memfd: [['memfd_inode_entry', { name: 'shop', size: '5000', shmid: 77, seals: 1, inodeId: '1' }]],
    'pagemap-shmem-77': [
      ['pagemap_head', { pagesId: 2 }],
      ['pagemap_entry', { vaddr: '4096', nrPages: '1', flags: 4 }],
    ],
  });
  await writeFile(join(images, 'pages-2.img'), Buffer.alloc(PAGE, 'm'));
  const output = join(images, 'out');
  expect(await compilePlan({ images, manifest, hot: COLD }, output)).toMatchObject({ descriptors: 4 });
  const pages = (await readFile(join(output, 'pages'))).subarray(62 * PAGE);
  const text = (page: number, from: number, to: number) =>
    pages.toString('latin1', page * PAGE + from, page * PAGE + to);
  expect([text(0, 0, 3), text(1, 0, 5), text(1, 8996, 9000), text(4, 0, 6)]).toEqual([
    'mmm',
    '\0\0hi\0',
    'end.',
    'water\0',
  ]);
  expect(pages.length).toBe(5 * PAGE);
});

test('the same process becomes the same plan', async () => {
  const images = await process();
  const outputs = [join(images, 'one'), join(images, 'two')];
  for (const output of outputs) await compilePlan({ images, manifest, hot: COLD }, output);
  const [first, second] = await Promise.all(outputs.map((output) => readFile(join(output, 'plan'))));
  expect(first!.equals(second!)).toBe(true);
});

test('a second process, a terminal and another root are named in one message, and nothing is written', async () => {
  const images = await process({
    pstree: [
      ['pstree_entry', { pid: 1000, threads: [1000] }],
      ['pstree_entry', { pid: 1010, threads: [1010] }],
    ],
    'core-1010': core({ tc: { comm: 'node' } }),
    'fs-1000': [['fs_entry', { cwdId: 2, rootId: 2, umask: 18 }]],
    'fdinfo-2': [['fdinfo_entry', { id: 4, type: 11, fd: 0 }]],
    files: [
      ['file_entry', { type: 1, id: 1, reg: { name: '/usr/bin/dotnet', fown: {} } }],
      ['file_entry', { type: 1, id: 2, reg: { name: '/app', fown: {} } }],
      ['file_entry', { type: 11, id: 4, tty: {} }],
    ],
  });
  const output = join(images, 'out');
  const names = ['process 1010 (node)', 'descriptor 0 (a terminal)', 'another root folder (chroot)'];
  await expect(compilePlan({ images, manifest, hot: COLD }, output)).rejects.toMatchObject({
    code: 'DS3008',
    message: `The restore engine can’t restore 3 things: ${names.join('; ')}.`,
  });
  await expect(readFile(join(output, 'plan'))).rejects.toThrow();
});

test('a snapshot without a description of its files is of an earlier version', async () => {
  const images = newFolder();
  await expect(compilePlan({ images, manifest, hot: COLD }, join(images, 'out'))).rejects.toMatchObject({
    code: 'DS6002',
  });
});

test('image files that are cut off are not taken for whole ones', async () => {
  const images = await process();
  await writeFile(join(images, 'pages-1.img'), Buffer.alloc(PAGE));
  await expect(compilePlan({ images, manifest, hot: COLD }, join(images, 'out'))).rejects.toThrow(
    'pages-1.img is not as long',
  );
});
