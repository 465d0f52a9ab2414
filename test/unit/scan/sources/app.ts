import { bytesField, image, integers, MAGIC, message, pagemap, present } from '../criu.ts';
import { noise, PAGE } from '../placements.ts';
import { Random } from '../random.ts';

const MEMFD_MAGIC = 0x48453499;

/** Where the parts of the process begin. */
export const AT = {
  program: 0x5500_0000_0000n,
  heap: 0x5500_0100_0000n,
  /** A malloc arena: 64 MiB, aligned. */
  arena: 0x7f00_0000_0000n,
  gc: 0x7e10_0000_1000n,
  loader: 0x7f20_0000_0000n,
  thread: 0x7f30_0000_1000n,
  shared: 0x7f40_0000_0000n,
  memfd: 0x7f40_0010_0000n,
  anonymous: 0x7f50_0000_0000n,
  stack: 0x7fff_0000_0000n,
} as const;

const MIB = 1n << 20n;
const [READ, WRITE, EXEC] = [1, 2, 4];
const [FILE, ANONYMOUS_SHARED, ANONYMOUS] = [0x41, 0x101, 0x201];
const MADV_DONTDUMP = 16n;

/** Pages of the process in the order in which they are in `pages-1.img`: part of the process and count. */
export const PAGES: [keyof typeof AT, number][] = [
  ['program', 1],
  ['heap', 1],
  ['arena', 1],
  ['gc', 3],
  ['loader', 1],
  ['thread', 1],
  ['anonymous', 1],
  ['stack', 2],
];

/** Offset in `pages-1.img` of a part's first byte. */
export function offsetOf(part: keyof typeof AT): number {
  const at = PAGES.findIndex(([name]) => name === part);
  return PAGES.slice(0, at).reduce((sum, [, pages]) => sum + pages * PAGE, 0);
}

/** The files of a snapshot of a process like a .NET app (pid 100, threads 100 and 101) in all its parts. */
export function appFiles(
  memory = noise(new Random(1), offsetOf('stack') + 2 * PAGE),
  dontDump = true,
): Map<string, Buffer> {
  const madvise = dontDump ? { 9: 1n << MADV_DONTDUMP } : {};
  const vma = (
    start: bigint,
    bytes: bigint,
    prot: number,
    status: number,
    more: Record<number, bigint | number> = {},
  ) => bytesField(14, integers({ 1: start, 2: start + bytes, 3: 0, 4: 0, 5: prot, 6: 0x22, 7: status, ...more }));
  const mm = Buffer.concat([
    integers({ 1: AT.program, 2: AT.program, 3: 0, 4: 0, 5: AT.stack + 0x1000n, 6: AT.heap, 7: AT.heap + 0x1000n }),
    integers({ 8: AT.stack + 0x1100n, 9: AT.stack + 0x1200n, 10: AT.stack + 0x1200n, 11: AT.stack + 0x1f00n, 12: 1 }),
    vma(AT.program, 0x1000n, READ + WRITE, FILE, { 4: 1 }),
    vma(AT.heap, 0x1000n, READ + WRITE, 0x221),
    vma(AT.arena, 0x2000n, READ + WRITE, ANONYMOUS),
    vma(AT.arena + 0x2000n, 64n * MIB - 0x2000n, 0, ANONYMOUS),
    vma(AT.gc, 0x3000n, READ + WRITE, ANONYMOUS),
    vma(AT.gc + 0x3000n, 256n * 1024n * MIB, 0, ANONYMOUS, madvise),
    vma(AT.loader, 0x1000n, READ + WRITE + EXEC, ANONYMOUS),
    vma(AT.loader + 0x1000n, 2048n * MIB, 0, ANONYMOUS, madvise),
    vma(AT.thread - 0x1000n, 0x1000n, 0, ANONYMOUS),
    vma(AT.thread, 0x1000n, READ + WRITE, ANONYMOUS),
    vma(AT.shared, 0x3000n, READ + WRITE, ANONYMOUS_SHARED, { 4: 7 }),
    vma(AT.memfd, 0x2000n, READ + WRITE, 0x4081, { 4: 2, 3: 0x1000 }),
    vma(AT.anonymous, 0x1000n, READ + WRITE, ANONYMOUS),
    vma(AT.stack, 0x2000n, READ + WRITE, ANONYMOUS, { 6: 0x122 }),
  ]);
  const core = (stackPointer: bigint, name?: string) =>
    Buffer.concat([
      image(MAGIC.core),
      message(
        Buffer.concat([
          integers({ 1: 1 }),
          bytesField(2, Buffer.concat([integers({ 1: 0 }), bytesField(2, integers({ 1: 0x1234, 20: stackPointer }))])),
          ...(name ? [bytesField(3, bytesField(6, Buffer.from(name)))] : []),
        ]),
      ),
    ]);
  const files = [
    Buffer.concat([integers({ 1: 1, 2: 1 }), bytesField(3, bytesField(6, Buffer.from('/app/dotnet')))]),
    Buffer.concat([integers({ 1: 18, 2: 2 }), bytesField(20, integers({ 1: 2, 5: 33 }))]),
  ];
  const shared = noise(new Random(2), 2 * PAGE);
  return new Map([
    ['core-100.img', core(AT.stack + 0x1080n, 'dotnet')],
    ['core-101.img', core(AT.thread + 0x800n)],
    ['files.img', Buffer.concat([image(MAGIC.files), ...files.map(message)])],
    [
      'memfd.img',
      Buffer.concat([
        image(MEMFD_MAGIC),
        message(Buffer.concat([bytesField(1, Buffer.from('jit')), integers({ 5: 9, 7: 33 })])),
      ]),
    ],
    ['mm-100.img', Buffer.concat([image(MAGIC.memory), message(mm)])],
    [
      'pagemap-100.img',
      pagemap(
        1,
        PAGES.map(([part, pages]) => present(AT[part], pages)),
      ),
    ],
    ['pagemap-shmem-7.img', pagemap(2, [present(0x1000, 2)])],
    ['pagemap-shmem-9.img', pagemap(3, [present(0x2000, 1)])],
    ['pages-1.img', memory],
    ['pages-2.img', shared],
    ['pages-3.img', shared.subarray(0, PAGE)],
    ['pipes-data.img', Buffer.concat([image(MAGIC.pipesData), Buffer.from('in the pipe')])],
    ['pstree.img', Buffer.concat([image(MAGIC.processTree), message(Buffer.from([0x08, 100, 0x28, 100, 0x28, 101]))])],
    ['sk-queues.img', Buffer.concat([image(MAGIC.socketQueues), Buffer.from('in the queue')])],
    ['tty-data.img', Buffer.from('typed')],
  ]);
}
