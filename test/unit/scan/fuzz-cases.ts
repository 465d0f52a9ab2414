import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { image, MAGIC } from './criu.ts';
import { elfCore } from './elf.ts';
import { MUTATIONS } from './fuzz-mutations.ts';
import { SECRET_LENGTH, snapshotFiles } from './fuzz-snapshot.ts';
import { PAGE } from './placements.ts';
import type { Random } from './random.ts';
import { type Member, tar } from './tar.ts';

/** Something on disk that is given to the scan. */
export interface Case {
  what: string;
  path: string;
  /** A secret lies there whole: a scan may refuse to read it, but must not call it clean. */
  holdsSecret: boolean;
}

/** Builds one damaged thing below `folder`. */
type Builder = (folder: string, random: Random, secret: string) => Case;

/** A whole snapshot of which one to three files are damaged, lost or exchanged. */
const damagedSnapshot: Builder = (folder, random, secret) => {
  const files = snapshotFiles(random, secret);
  const done: string[] = [];
  for (let left = 1 + random.below(3); left > 0; left--) {
    const name = random.pick([...files.keys()].filter((one) => one !== 'pages-1.img'));
    const other = random.pick([...files.keys()].filter((one) => one !== 'pages-1.img'));
    const kind = random.below(10);
    if (kind === 0) {
      files.delete(name);
      done.push(`${name} lost`);
    } else if (kind === 1) {
      files.set(other, files.get(name)!);
      done.push(`${name} in place of ${other}`);
    } else if (kind === 2) {
      files.set(name.replace(/\d+/, '77'), files.get(name)!);
      done.push(`${name} under another number`);
    } else {
      const [what, mutate] = random.pick(MUTATIONS);
      files.set(name, mutate(files.get(name)!, random));
      done.push(`${name} ${what}`);
    }
  }
  writeFiles(folder, files);
  return { what: done.join(', '), path: folder, holdsSecret: true };
};

/** The pages themselves are damaged, so the secret may be gone. */
const damagedPages: Builder = (folder, random, secret) => {
  const files = snapshotFiles(random, secret);
  const [what, mutate] = random.pick(MUTATIONS);
  files.set('pages-1.img', mutate(files.get('pages-1.img')!, random));
  writeFiles(folder, files);
  return { what: `pages-1.img ${what}`, path: folder, holdsSecret: false };
};

/** Files with the names of images and any content, with and without the right magic numbers. */
const randomFolder: Builder = (folder, random) => {
  const names = [...snapshotFiles(random, 'x'.repeat(SECRET_LENGTH)).keys()].filter(() => random.below(2) === 0);
  for (const name of names) {
    const magic = random.below(3) === 0 ? Buffer.alloc(0) : image(random.pick(Object.values(MAGIC)));
    writeFileSync(join(folder, name), Buffer.concat([magic, random.bytes(random.below(5000))]));
  }
  return { what: `random ${names.join(', ')}`, path: folder, holdsSecret: false };
};

/** A core dump, an archive or something that says that it is one, damaged. */
const damagedFile: Builder = (folder, random, secret) => {
  const [what, bytes] = random.pick<[string, () => Buffer]>([
    ['core dump', () => elfCore(random, secret)],
    ['archive', () => archive(random, secret)],
  ])!;
  const [how, mutate] = random.pick(MUTATIONS);
  const whole = bytes();
  const damaged = mutate(whole, random);
  const path = join(folder, 'checkpoint');
  writeFileSync(path, damaged);
  return { what: `${what} ${how}`, path, holdsSecret: damaged.includes(`token=${secret}`) };
};

/** A compressed archive, damaged after it was compressed or before. */
const damagedCompressed: Builder = (folder, random, secret) => {
  const [how, mutate] = random.pick(MUTATIONS);
  const [method, compress] = random.pick<[string, (bytes: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ]);
  const inner = random.below(2) === 0;
  const whole = archive(random, secret);
  const archived = inner ? mutate(whole, random) : whole;
  const path = join(folder, 'checkpoint');
  writeFileSync(path, inner ? compress(archived) : mutate(compress(archived), random));
  const what = inner ? `${method} of an archive ${how}` : `${method} ${how}`;
  return { what, path, holdsSecret: inner && archived.includes(`token=${secret}`) };
};

function archive(random: Random, secret: string): Buffer {
  const files = [...snapshotFiles(random, secret)];
  const members = files.map(([name, content]): Member => ({ name: `checkpoint/${name}`, content }));
  return tar([
    { name: 'checkpoint/', type: '5' },
    ...members,
    { name: 'config.dump', content: Buffer.from('{"id":"ab"}') },
  ]);
}

const magic = (hex: string) => Buffer.from(hex, 'hex');

/** Files that begin like something and are nothing. */
const randomFile: Builder = (folder, random) => {
  const [what, head] = random.pick<[string, Buffer]>([
    ['random bytes', Buffer.alloc(0)],
    ['ELF', magic('7f454c46020101000000000000000000')],
    ['ELF core', Buffer.concat([magic('7f454c4602010100'), Buffer.alloc(8), magic('04003e0001000000')])],
    ['gzip', magic('1f8b0800000000000003')],
    ['zstd', magic('28b52ffd')],
    ['tar', tar([{ name: 'checkpoint/inventory.img', content: random.bytes(600) }]).subarray(0, 600)],
    ['zip', magic('504b0304')],
  ]);
  const path = join(folder, 'file');
  writeFileSync(path, Buffer.concat([head, random.bytes(random.below(9000))]));
  return { what: `random file that begins as ${what}`, path, holdsSecret: false };
};

/** What is neither a file nor a folder, and what points elsewhere. */
const SPECIAL: readonly [what: string, build: (folder: string, random: Random) => string][] = [
  ['nothing', (folder) => join(folder, 'none')],
  ['an empty folder', (folder) => folder],
  ['an empty file', (folder) => file(folder, 'empty', Buffer.alloc(0))],
  ['a pipe', (folder) => pipe(folder, 'pipe')],
  ['a device without an end', () => '/dev/zero'],
  ['a device without anything', () => '/dev/null'],
  ['a name with a zero in it', (folder) => `${folder}/a\0b`],
  [
    'a folder with a pipe',
    (folder, random) => {
      writeFiles(folder, snapshotFiles(random, random.text(SECRET_LENGTH)));
      pipe(folder, 'pages-3.img');
      return folder;
    },
  ],
  [
    'a folder with a link to itself',
    (folder, random) => {
      writeFiles(folder, snapshotFiles(random, random.text(SECRET_LENGTH)));
      symlinkSync(folder, join(folder, 'again'));
      return folder;
    },
  ],
  [
    'a folder in place of pages',
    (folder, random) => {
      const files = snapshotFiles(random, random.text(SECRET_LENGTH));
      files.delete('pages-2.img');
      writeFiles(folder, files);
      mkdirSync(join(folder, 'pages-2.img'));
      return folder;
    },
  ],
  ['a gzip bomb', (folder) => file(folder, 'bomb', gzipSync(Buffer.alloc(64 << 20)))],
  ['a gzip bomb in a gzip bomb', (folder) => file(folder, 'bomb', gzipSync(gzipSync(Buffer.alloc(64 << 20))))],
  ['a zstd bomb', (folder) => file(folder, 'bomb', zstdCompressSync(Buffer.alloc(64 << 20)))],
  ['a tar that tells of terabytes', (folder) => file(folder, 'tar', tar([{ name: 'pages-1.img', size: 2 ** 42 }]))],
  [
    'a tar that climbs',
    (folder) => file(folder, 'tar', tar([{ name: '../../pages-1.img', content: Buffer.alloc(PAGE) }])),
  ],
  [
    'a tar of a link',
    (folder) => file(folder, 'tar', tar([{ name: 'checkpoint/pages-1.img', type: '2', link: '/dev/zero' }])),
  ],
];

function file(folder: string, name: string, content: Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

function pipe(folder: string, name: string): string {
  execFileSync('mkfifo', [join(folder, name)]);
  return join(folder, name);
}

function writeFiles(folder: string, files: Map<string, Buffer>): void {
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
}

/** One case in a folder of its own: the special ones first, then damage of every kind in turn. */
export function buildCase(index: number, folder: string, random: Random, secret: string): Case {
  const special = SPECIAL[index];
  if (special) return { what: special[0], path: special[1](folder, random), holdsSecret: false };
  // Damaged images are what matters most.
  const builders = [
    damagedSnapshot,
    damagedFile,
    damagedSnapshot,
    damagedCompressed,
    damagedSnapshot,
    randomFolder,
    damagedSnapshot,
    randomFile,
    damagedPages,
  ];
  return builders[index % builders.length]!(folder, random, secret);
}
