import xxhash from 'xxhash-wasm';

/** Where the launcher maps the plan, and the end of what is kept free for it: as in runtime/restorer/plan.h. */
export const PLAN_BASE = 0x8000_0000;
export const LOW_END = 0x1_0000_0000;

/** Bytes of a memory page; hosts with larger ones are refused. */
export const PAGE = 4096;

/** Bytes before each signal frame: the stack of a thread that has not yet left for the app. */
export const FRAME_STACK = 1024;

/** Where the section FRAMES begins in the plan. It comes first, so that addresses in it are known while it is built. */
export const FRAMES_OFFSET = 4096;

const MAGIC = 0x4e41_4c50_544f_4853n;
const VERSION = 2;
const HASHED_FROM = 32;

const SECTIONS = [
  'TEXT',
  'COMMAND',
  'FILES',
  'DESCRIPTORS',
  'COPIES',
  'OPTIONS',
  'WATCHES',
  'LOCKS',
  'OBJECTS',
  'CONTENTS',
  'STEPS',
  'FILLS',
  'LATE_STEPS',
  'THREADS',
  'FRAMES',
  'ACTIONS',
  'PENDING',
  'TIMERS',
  'AUXV',
  'VDSO',
  'PREFETCH',
  'KEPT',
] as const;

/** Name of a section of the plan. */
export type SectionName = (typeof SECTIONS)[number];

/** enum plan_flags. */
export const PLAN_FLAG = {
  RAISE_NOFILE: 1,
  NOT_DUMPABLE: 2,
  NO_HUGE_PAGES: 4,
  SUBREAPER: 8,
  INSIDE_VDSO: 16,
  EXTENDED_STATE: 32,
} as const;

/** enum descriptor_kind. */
export const DESCRIPTOR = {
  FILE: 0,
  DELETED: 1,
  INHERITED: 2,
  PIPE: 3,
  FIFO: 4,
  EVENT: 5,
  TIMER: 6,
  SIGNAL: 7,
  EPOLL: 8,
  INOTIFY: 9,
  UNIX: 10,
  INET: 11,
  NETLINK: 12,
  OBJECT: 13,
} as const;

/** enum step_kind. */
export const STEP = {
  ANONYMOUS: 0,
  PAGES: 1,
  FILE: 2,
  DESCRIPTOR: 3,
  OBJECT: 4,
  PROTECT: 5,
  ADVISE: 6,
  LOCK: 7,
} as const;

/** enum kept_policy. */
export const KEPT = { ANY: 0, APPEND: 1, SAME: 2 } as const;

/** enum lock_kind. */
export const LOCK = { OF_FILE: 0, OF_PROCESS: 1, OF_DESCRIPTION: 2 } as const;

/** An integer of the plan; those of 64 bits may be either. */
export type Int = number | bigint;

/** Bytes that grow, little-endian. */
export class Writer {
  #bytes = Buffer.alloc(1024);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Adds integers of 8 bits. */
  u8(...values: number[]): this {
    for (const value of values) this.#room(1).writeUInt8(value);
    return this;
  }

  /** Adds integers of 16 bits. */
  u16(...values: number[]): this {
    for (const value of values) this.#room(2).writeUInt16LE(value);
    return this;
  }

  /** Adds integers of 32 bits, negative ones as two's complement. */
  u32(...values: number[]): this {
    for (const value of values) this.#room(4).writeUInt32LE(value >>> 0);
    return this;
  }

  /** Adds integers of 64 bits, negative ones as two's complement. */
  u64(...values: Int[]): this {
    for (const value of values) this.#room(8).writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  /** Adds bytes as they are. */
  bytes(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes);
    return this;
  }

  /** Adds zeros up to an offset. */
  until(offset: number): this {
    this.#room(Math.max(0, offset - this.#length));
    return this;
  }

  /** Adds zeros up to a multiple of an offset. */
  align(to: number): this {
    return this.until(Math.ceil(this.#length / to) * to);
  }

  /** What was written. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The next so many bytes, which are zero. */
  #room(bytes: number): Buffer {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes], Math.max(this.#length, 2 * this.#bytes.length));
    return this.#bytes.subarray(at, this.#length);
  }
}

/** The members of struct plan that are not worked out from the sections, named as there. */
export interface Header {
  machine: number;
  flags: number;
  pid: number;
  answerMs: number;
  snapshot: string;
  isa: string;
  cpu: string;
  program: string;
  folder: string;
  umask: number;
  descriptorsEnd: number;
  membarriers: number;
  memory: number;
  pagesBytes: number;
  pagesHash: bigint;
  hotBytes: number;
  hotHash: bigint;
  fillOffset: number;
  /** MM_FIELDS addresses. */
  mm: bigint[];
  vdsoStart: number;
  vdsoBytes: number;
  vvarBytes: number;
  vdsoHash: bigint;
  vdsoOffset: Int;
  /** For ITIMER_REAL, VIRTUAL and PROF: interval and value in seconds and microseconds. */
  timers: bigint[][];
  frameStride: number;
  deathSignal: number;
}

/** The file `plan` while it is built: its sections, and the text that they refer to. */
export class PlanFile {
  readonly #text = new Writer().u8(0);
  readonly #known = new Map<string, number>([['', 0]]);
  readonly #sections = new Map<SectionName, { bytes: Buffer; count: number }>();

  /** Offset of a string in TEXT; the same string is stored once. */
  text(value: string): number {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const at = this.#text.length;
    this.#text.bytes(Buffer.from(value)).u8(0);
    this.#known.set(value, at);
    return at;
  }

  /** Offset of a struct in TEXT, a multiple of 8. */
  struct(bytes: Uint8Array): number {
    const at = this.#text.align(8).length;
    this.#text.bytes(bytes);
    return at;
  }

  /** Makes a section of one entry for each item. */
  entries<T>(name: SectionName, items: readonly T[], write: (writer: Writer, item: T) => void): void {
    const writer = new Writer();
    for (const item of items) write(writer, item);
    this.#sections.set(name, { bytes: writer.take(), count: items.length });
  }

  /** Makes a section of plain bytes. */
  raw(name: SectionName, bytes: Buffer): void {
    this.#sections.set(name, { bytes, count: bytes.length });
  }

  /** The whole file. Sections that were not made are empty. */
  async finish(header: Header): Promise<Buffer> {
    const strings = [header.snapshot, header.isa, header.cpu, header.program, header.folder].map((s) => this.text(s));
    this.raw('TEXT', this.#text.u8(0).take());
    const body = new Writer().until(FRAMES_OFFSET);
    const places = new Map<SectionName, number>();
    for (const name of ['FRAMES', ...SECTIONS.filter((section) => section !== 'FRAMES')] as SectionName[]) {
      places.set(name, body.align(8).length);
      body.bytes(this.#sections.get(name)?.bytes ?? Buffer.alloc(0));
    }
    const file = body.align(8).take();
    const head = new Writer()
      .u64(MAGIC)
      .u32(VERSION, PAGE)
      .u64(file.length, 0)
      .u32(header.machine, header.flags, header.pid, header.answerMs)
      .u32(...strings, header.umask, header.descriptorsEnd, header.membarriers)
      .u64(header.memory, header.pagesBytes, header.pagesHash, header.hotBytes, header.hotHash, header.fillOffset)
      .u64(...header.mm)
      .u64(header.vdsoStart, header.vdsoBytes, header.vvarBytes, header.vdsoHash, header.vdsoOffset)
      .u64(...header.timers.flat())
      .u32(header.frameStride, header.deathSignal)
      .u32(...SECTIONS.flatMap((name) => [places.get(name)!, this.#sections.get(name)?.count ?? 0]));
    file.set(head.take());
    const { h64Raw } = await xxhash();
    file.writeBigUInt64LE(h64Raw(file.subarray(HASHED_FROM)), HASHED_FROM - 8);
    return file;
  }
}
