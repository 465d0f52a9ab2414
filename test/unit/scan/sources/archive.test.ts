import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SnapshotError } from '../../../../src/errors.ts';
import type { ScannedFile } from '../../../../src/scan/sources/index.ts';
import { tar } from '../tar.ts';
import { appFiles } from './app.ts';
import { folderOf, leftovers, open } from './folders.ts';

const LONG = `${'deep/'.repeat(30)}settings.json`;

/** What Podman, CRI-O and containerd put beside CRIU's images (checkpointctl's `show` lists the same). */
const BESIDE = {
  'config.dump': Buffer.from('{"id":"1"}'),
  'spec.dump': Buffer.from('{"process":{"env":["A=b"]}}'),
  'status.dump': Buffer.from('{}'),
  'network.status': Buffer.from('{}'),
  'container.log': Buffer.from('a line'),
  'io.kubernetes.cri-o.LogPath': Buffer.from('a log'),
  'deleted.files': Buffer.from('[]'),
  'dump.log': Buffer.from('(00.000000) Version: 4.2'),
  'stats-dump': Buffer.from('x'),
};

function layout(): Map<string, Buffer> {
  const inner = tar([{ name: 'app/appsettings.json', content: Buffer.from('{"in":"the layer"}') }]);
  return new Map([
    ...Object.entries(BESIDE),
    ...[...appFiles()].map(([name, bytes]): [string, Buffer] => [`checkpoint/${name}`, bytes]),
    ['rootfs-diff.tar', inner],
    [LONG, Buffer.from('a long name')],
  ]);
}

/** An archive of the system's tar. */
function systemTar(files: Map<string, Buffer>, ...options: string[]): string {
  const archive = join(folderOf({}), 'archive');
  execFileSync('tar', ['-C', folderOf(files), ...options, '-cf', archive, '.']);
  return archive;
}

function contentOf(file: ScannedFile): Buffer {
  return readFileSync(file.path).subarray(file.start, file.start + file.size);
}

async function errorOf(path: string, options = {}): Promise<SnapshotError> {
  const error = await open(path, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SnapshotError);
  return error as SnapshotError;
}

describe('a checkpoint archive', () => {
  it.each([
    ['GNU', ['--format=gnu']],
    ['POSIX', ['--format=pax', '--xattrs']],
    ['ustar', ['--format=ustar']],
    ['gzip', ['--gzip']],
    ['zstd', ['--zstd']],
  ])('of the system’s tar, %s', async (_what, options) => {
    const files = layout();
    const source = await open(systemTar(files, ...options));
    const found = new Map(source.files.map((file) => [file.name, file]));
    files.delete('rootfs-diff.tar');
    files.set('rootfs-diff.tar/app/appsettings.json', Buffer.from('{"in":"the layer"}'));
    for (const [name, bytes] of files) expect(contentOf(found.get(name)!).equals(bytes), name).toBe(true);
    expect(source.placeOf('checkpoint/pages-1.img', 0)).toMatchObject({ pid: 100, process: 'dotnet' });
    expect(source.placeOf('config.dump', 0)).toEqual({ mapping: 'record' });
    await source.close();
  });

  it('is looked at in every byte', async () => {
    const archive = systemTar(layout(), '--format=gnu');
    const { files } = await open(archive);
    const seen = new Uint8Array(statSync(archive).size);
    for (const { start, extents } of files) {
      for (const { offset, length } of extents) {
        for (let at = start + offset; at < start + offset + length; at++) seen[at]! += 1;
      }
    }
    expect(seen.every((times) => times === 1)).toBe(true);
  });

  it('is read in place, or unpacked to where only this user can read and removed', async () => {
    const before = leftovers().length;
    const plain = await open(systemTar(layout()));
    expect(plain.files.every(({ path }) => path.endsWith('archive'))).toBe(true);
    await plain.close();
    expect(leftovers()).toHaveLength(before);
    const source = await open(systemTar(layout(), '--zstd'));
    const { path } = source.files.find(({ name }) => name === 'config.dump')!;
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    await source.close();
    expect(leftovers()).toHaveLength(before);
  });

  it('may be in an image: a layer in a tar in a tar', async () => {
    const members = [...layout()].map(([name, content]) => ({ name: name.slice(-90), content }));
    const layer = gzipSync(tar(members), { level: 0 });
    const image = tar([
      { name: 'index.json', content: Buffer.from('{}') },
      { name: 'blobs/sha256/ab', content: layer },
    ]);
    const source = await open(join(folderOf({ image }), 'image'));
    expect(source.placeOf('blobs/sha256/ab/checkpoint/pages-1.img', 0)).toMatchObject({ process: 'dotnet' });
    await source.close();
  });

  it('may be zstd in many frames, as parallel compressors write it', async () => {
    const whole = tar([...layout()].map(([name, content]) => ({ name: name.slice(-90), content })));
    const skipped = Buffer.from('502a4d180400000001020304', 'hex');
    const frames = [0, 1, 2, 3].map((at) =>
      zstdCompressSync(whole.subarray(at * 9000, at === 3 ? undefined : at * 9000 + 9000)),
    );
    const source = await open(join(folderOf({ a: Buffer.concat([skipped, ...frames]) }), 'a'));
    expect(source.files.some(({ name }) => name === 'checkpoint/pages-1.img')).toBe(true);
    await source.close();
  });

  it('may hold a name twice; both are read', async () => {
    const twice = [1, 2].map((at) => ({ name: 'a.txt', content: Buffer.from(`content ${at}`) }));
    const files = [...appFiles()].map(([name, content]) => ({ name, content }));
    const source = await open(join(folderOf({ a: tar([...files, ...twice]) }), 'a'));
    const contents = source.files
      .filter(({ name }) => name.startsWith('a.txt'))
      .map((file) => contentOf(file).toString());
    expect(contents).toEqual(['content 1', 'content 2']);
  });

  it('has names that are safe to print', async () => {
    const files = [...appFiles()].map(([name, content]) => ({ name, content }));
    const odd = { name: '/\u001b[31mred\n::error::x', content: Buffer.from('x') };
    const source = await open(join(folderOf({ a: tar([...files, odd]) }), 'a'));
    expect(source.files.map(({ name }) => name)).toContain('?[31mred?::error::x');
  });
});

describe('an archive that is refused', () => {
  const whole = () => tar([...layout()].map(([name, content]) => ({ name: name.slice(-90), content })));
  const file = (bytes: Buffer) => join(folderOf({ archive: bytes }), 'archive');

  it('cut short, at any place', async () => {
    const bytes = whole();
    for (const length of [513, 1024, 5000, 20480, bytes.length - 1536, bytes.length - 1024]) {
      const error = await errorOf(file(bytes.subarray(0, length)));
      expect(error.code, `${length} bytes`).toBe('DS4002');
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('%s that is cut short or damaged', async (_kind, compress) => {
    const bytes = compress(whole());
    for (const length of [20, bytes.length >> 1, bytes.length - 1]) {
      expect((await errorOf(file(bytes.subarray(0, length)))).code, `${length} bytes`).toBe('DS4002');
    }
    expect((await errorOf(file(Buffer.concat([bytes, Buffer.from('something else')])))).code).toBe('DS4002');
    expect(leftovers().length).toBeLessThan(20);
  });

  it('unpacks to more than is allowed', async () => {
    for (const bomb of [gzipSync(Buffer.alloc(8 << 20)), zstdCompressSync(Buffer.alloc(8 << 20))]) {
      const error = await errorOf(file(bomb), { unpackLimit: 1 << 20 });
      expect([error.code, error.message]).toEqual(['DS4002', expect.stringContaining('1048576 bytes')]);
    }
  });

  it('holds sparse files', async () => {
    const folder = folderOf({});
    mkdirSync(join(folder, 'checkpoint'));
    execFileSync('truncate', ['-s', '10M', join(folder, 'checkpoint/pages-1.img')]);
    for (const format of ['gnu', 'pax']) {
      const archive = join(folderOf({}), 'archive');
      execFileSync('tar', ['-C', folder, '--sparse', `--format=${format}`, '-cf', archive, '.']);
      const error = await errorOf(archive);
      expect([error.code, error.fix]).toEqual(['DS1001', expect.stringContaining('--sparse')]);
    }
  });

  it.each([
    ['another format', Buffer.from('fd377a585a000000', 'hex'), 'DS1001', /xz/],
    ['a zip', Buffer.from('504b030414000000', 'hex'), 'DS1001', /zip/],
    ['a text', Buffer.from('text'), 'DS1001', /core dump/],
    ['nothing', Buffer.alloc(0), 'DS1001', /core dump/],
    ['a program', readFileSync('/bin/true'), 'DS1001', /core dump/],
    ['an archive without images', tar([{ name: 'a', content: Buffer.from('a') }]), 'DS6002', /manifest/],
  ])('%s', async (_what, bytes, code, fix) => {
    const error = await errorOf(file(bytes));
    expect([error.code, error.fix]).toEqual([code, expect.stringMatching(fix)]);
  });

  it('is read as it is where it only lies among other files', async () => {
    const folder = folderOf(appFiles());
    const compressed = gzipSync(Buffer.from('x'.repeat(70_000)), { level: 0 });
    writeFileSync(join(folder, 'cut.gz'), compressed.subarray(0, 50_000));
    writeFileSync(join(folder, 'cut.tar'), whole().subarray(0, 5000));
    const source = await open(folder);
    const sizes = new Map(source.files.map(({ name, size }) => [name, size]));
    expect(sizes.get('cut.tar')).toBe(5000);
    // Both what could be unpacked and what it was.
    expect(sizes.get('cut.gz')).toBe(50_000);
    expect(sizes.get('cut.gz#2')).toBeGreaterThan(0);
    await source.close();
  });
});
