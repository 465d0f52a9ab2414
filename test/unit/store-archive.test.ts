import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packDirectory, type Run, unpackArchive } from '../../src/store/archive.ts';
import { runProgram } from '../harness/run-program.ts';

let temp: string;
let source: string;

beforeEach(async () => {
  temp = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-archive-'));
  source = join(temp, 'source');
  await mkdir(join(source, 'images'), { recursive: true });
  await writeFile(join(source, 'manifest.json'), '{}');
  await writeFile(join(source, 'images', 'odd\nname: --x.img'), 'pages', { mode: 0o640 });
});

afterEach(() => rm(temp, { recursive: true, force: true }));

const withoutZstd: Run = (argv) =>
  argv[0] === 'zstd' ? Promise.reject(new Error('no such program')) : runProgram(argv);

describe('packDirectory and unpackArchive', () => {
  it.each([
    ['.tar.zst', runProgram, [0x28, 0xb5]],
    ['.tar.gz', withoutZstd, [0x1f, 0x8b]],
  ])('bring a folder over in a %s, names and modes included', async (ending, run, magic) => {
    const file = await packDirectory(run, source, join(temp, 'host:packed'));
    expect(file).toBe(join(temp, `host:packed${ending}`));
    expect([...(await readFile(file)).subarray(0, 2)]).toEqual(magic);

    const target = join(temp, 'target');
    await unpackArchive(run, file, target);
    const image = join(target, 'images', 'odd\nname: --x.img');
    expect(await readFile(image, 'utf8')).toBe('pages');
    expect((await stat(image)).mode & 0o777).toBe(0o640);
    expect((await readdir(target)).sort()).toEqual(['images', 'manifest.json']);
  });

  it('packs hard links as the files they are', async () => {
    await link(join(source, 'manifest.json'), join(source, 'same.json'));
    const file = await packDirectory(runProgram, source, join(temp, 'packed'));
    await unpackArchive(runProgram, file, join(temp, 'target'));
    expect(await readFile(join(temp, 'target', 'same.json'), 'utf8')).toBe('{}');
  });

  it('fails when the folder is missing', async () => {
    await expect(packDirectory(runProgram, join(temp, 'none'), join(temp, 'packed'))).rejects.toThrow('tar');
  });
});

describe('unpackArchive', () => {
  async function refuses(...tarArgs: string[]): Promise<void> {
    const file = join(temp, 'foreign.tar.gz');
    await runProgram(['tar', '--create', '--gzip', '--file', file, '--directory', source, ...tarArgs]);
    const target = join(temp, 'target');
    await expect(unpackArchive(runProgram, file, target)).rejects.toMatchObject({ code: 'DS6002' });
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  }

  it('refuses a path that climbs out', () => refuses('--transform', 's,manifest,../manifest,', 'manifest.json'));

  it('refuses an absolute path', () => refuses('--absolute-names', join(source, 'manifest.json')));

  it('refuses a symbolic link', async () => {
    await symlink('/etc', join(source, 'etc'));
    await refuses('.');
  });

  it('refuses a hard link', async () => {
    await link(join(source, 'manifest.json'), join(source, 'same.json'));
    await refuses('.');
  });

  it('refuses a program that would run as its owner', async () => {
    await chmod(join(source, 'manifest.json'), 0o4755);
    await refuses('.');
  });

  it('refuses what is no archive', async () => {
    const file = join(temp, 'broken.tar.gz');
    await writeFile(file, 'no archive');
    await expect(unpackArchive(runProgram, file, join(temp, 'target'))).rejects.toMatchObject({
      code: 'DS6002',
      message: `${file} could not be read as an archive.`,
    });
  });
});
