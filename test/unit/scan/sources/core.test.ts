import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SnapshotError } from '../../../../src/errors.ts';
import { elf } from '../elf.ts';
import { noise, PAGE } from '../placements.ts';
import { Random } from '../random.ts';
import { folderOf, open } from './folders.ts';

const random = new Random(5);
const areas = [
  { address: 0x7f00_0000_0000n, bytes: noise(random, 2 * PAGE) },
  { address: 0x7f00_0000_2000n, bytes: noise(random, PAGE) },
  { address: 0x7f10_0000_0000n, bytes: noise(random, PAGE) },
];

function file(bytes: Buffer): string {
  return join(folderOf({ core: bytes }), 'core');
}

async function errorOf(bytes: Buffer): Promise<SnapshotError> {
  const error = await open(file(bytes)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SnapshotError);
  return error as SnapshotError;
}

describe('a core dump', () => {
  it('has an extent for each piece of memory and what is between', async () => {
    const dump = elf(areas);
    const source = await open(file(dump));
    const [{ extents, size } = { extents: [], size: 0 }] = source.files;
    const memory = dump.length - 4 * PAGE;
    expect(extents).toEqual([
      { offset: 0, length: memory },
      // Neighbours in the file and in memory.
      { offset: memory, length: 3 * PAGE, address: 0x7f00_0000_0000n, pid: 100 },
      { offset: memory + 3 * PAGE, length: PAGE, address: 0x7f10_0000_0000n, pid: 100 },
    ]);
    expect(size).toBe(dump.length);
    expect(source.placeOf('core', memory + 10)).toEqual({
      mapping: 'anonymous memory',
      pid: 100,
      process: 'dotnet',
      address: 0x7f00_0000_000an,
    });
    expect(source.placeOf('core', 10).mapping).toBe('record');
  });

  it('may be compressed, and of arm64', async () => {
    const compressed = await open(file(gzipSync(elf(areas))));
    expect(compressed.files[0]?.extents).toHaveLength(3);
    await compressed.close();
    expect((await open(file(elf(areas, 183)))).files[0]?.extents).toHaveLength(3);
  });

  it('may have more pieces of memory than the header can count', async () => {
    const dump = elf(areas);
    // The count is in the first section header then.
    const section = Buffer.alloc(64);
    section.writeUInt32LE(4, 44);
    dump.writeUInt16LE(0xffff, 56);
    dump.writeBigUInt64LE(BigInt(dump.length), 40);
    const source = await open(file(Buffer.concat([dump, section])));
    expect(source.files[0]?.extents).toHaveLength(4);
  });

  it('is refused where it is cut short, at any place', async () => {
    const dump = elf(areas);
    for (const length of [20, 63, 64, 100, 300, dump.length - PAGE, dump.length - 1]) {
      expect((await errorOf(dump.subarray(0, length))).code, `${length} bytes`).toBe('DS4002');
    }
  });

  it('is refused where pieces lie on top of each other, and for other machines', async () => {
    const dump = elf(areas);
    dump.copy(dump, 64 + 56 * 3 + 8, 64 + 56 * 2 + 8, 64 + 56 * 2 + 16);
    expect((await errorOf(dump)).code).toBe('DS4002');
    expect((await errorOf(elf(areas, 8))).code).toBe('DS1001');
  });
});

const hasGcore = spawnSync('gcore').error === undefined;

it.skipIf(!hasGcore)('a core dump by gdb tells environment, arguments, stack and files', async ({ skip }) => {
  const [variable, word] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
  const shell = spawn('sh', ['-c', 'copy=on-the-heap-$PLANTED; echo ready; read line', 'name', word], {
    env: { PATH: process.env.PATH, PLANTED: variable },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const prefix = join(folderOf({}), 'core');
  try {
    await new Promise((resolve) => shell.stdout.once('data', resolve));
    const dumped = spawnSync('gcore', ['-o', prefix, String(shell.pid)], { encoding: 'utf8' });
    skip(dumped.status !== 0, 'this machine lets no process be traced');
  } finally {
    shell.kill();
  }
  const path = `${prefix}.${shell.pid}`;
  const bytes = readFileSync(path);
  const source = await open(path);
  const [{ name } = { name: '' }] = source.files;
  const placesOf = (text: string) => {
    const places = [];
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) places.push(source.placeOf(name, at));
    return places;
  };
  const of = { pid: shell.pid, process: 'sh' };
  expect(placesOf(variable)).toContainEqual(expect.objectContaining({ mapping: 'environment', ...of }));
  expect(placesOf(word)).toContainEqual(expect.objectContaining({ mapping: 'arguments', ...of }));
  expect(placesOf(`on-the-heap-${variable}`)).toContainEqual(
    expect.objectContaining({ mapping: 'native heap', ...of }),
  );
  const program = execFileSync('readlink', ['-f', '/bin/sh'], { encoding: 'utf8' }).trim();
  expect(placesOf('\x7fELF').map((place) => place.mappedFile)).toContain(program);
});
