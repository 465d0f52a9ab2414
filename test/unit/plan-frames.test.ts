import { expect, test } from 'vitest';
import { FRAME_STACK } from '../../src/plan/format.ts';
import { extendedState, type FrameState, frameOf, frameStride } from '../../src/plan/frames.ts';
import type { CoreEntry, ThreadInfoX86 } from '../../src/plan/messages.ts';
import { Refusals } from '../../src/plan/refusals.ts';
import { checkThreads, threadsOf } from '../../src/plan/threads.ts';

const AT = 0x8000_1000 + FRAME_STACK;

function words(first: bigint, count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => first + BigInt(index));
}

function gpregs(values: Partial<ThreadInfoX86['gpregs']> = {}): ThreadInfoX86['gpregs'] {
  const [r8, r9, r10, r11, r12, r13, r14, r15] = words(8n, 8) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const plain = {
    di: 1n,
    si: 2n,
    bp: 3n,
    bx: 4n,
    dx: 5n,
    ax: 6n,
    cx: 7n,
    sp: 0x7ffc_0000n,
    ip: 0x7f00_1234n,
    flags: 0x246n,
  };
  return { r8, r9, r10, r11, r12, r13, r14, r15, ...plain, fsBase: 0x7f11n, gsBase: 0n, mode: 1, ...values };
}

function x86(xsave: Partial<NonNullable<NonNullable<ThreadInfoX86['fpregs']>['xsave']>> | undefined): FrameState {
  const fpregs: ThreadInfoX86['fpregs'] = {
    ...{ cwd: 0x37f, swd: 1, twd: 2, fop: 3, rip: 4n, rdp: 5n, mxcsr: 0x1f80, mxcsrMask: 0xffff },
    stSpace: Array.from({ length: 32 }, (_, index) => 100 + index),
    xmmSpace: Array.from({ length: 64 }, (_, index) => 200 + index),
    ...(xsave && {
      xsave: {
        ...{ xstateBv: 7n, ymmhSpace: Array.from({ length: 64 }, (_, index) => 300 + index) },
        ...{ opmaskReg: [], zmmUpper: [], hi16Zmm: [], pkru: [], ...xsave },
      },
    }),
  };
  const sas = { ssSp: 0x7f22n, ssSize: 16384n, ssFlags: 0 };
  return { x86: { clearTidAddr: 9n, gpregs: gpregs(), fpregs }, sas, mask: 0x1000n };
}

test('a frame of x86-64 has each register where the kernel looks for it', () => {
  const frame = frameOf(x86({}), AT, false);
  const u64 = (at: number) => frame.readBigUInt64LE(at);
  expect(u64(8)).toBe(7n);
  expect([u64(24), u64(40)]).toEqual([0x7f22n, 16384n]);
  // ucontext begins after the return address, its registers after 40 bytes.
  expect([u64(48), u64(48 + 7 * 8)]).toEqual([8n, 15n]);
  expect([u64(48 + 8 * 8), u64(48 + 15 * 8), u64(48 + 16 * 8), u64(48 + 17 * 8)]).toEqual([
    1n,
    0x7ffc_0000n,
    0x7f00_1234n,
    0x246n,
  ]);
  expect([frame.readUInt16LE(192), frame.readUInt16LE(198)]).toEqual([0x33, 0x2b]);
  expect(u64(304)).toBe(0x1000n);
  const state = Number(u64(232)) - AT;
  expect((state + AT) % 64).toBe(0);
  expect([frame.readUInt16LE(state), frame.readUInt32LE(state + 24)]).toEqual([0x37f, 0x1f80]);
  expect([frame.readUInt32LE(state + 32), frame.readUInt32LE(state + 160)]).toEqual([100, 200]);
  expect([464, 468, 480].map((at) => frame.readUInt32LE(state + at))).toEqual([0x4650_5853, 836, 832]);
  expect([u64(state + 472), u64(state + 512)]).toEqual([7n, 7n]);
  expect([frame.readUInt32LE(state + 576), frame.readUInt32LE(state + 828)]).toEqual([300, 363]);
  expect(frame.readUInt32LE(state + 832)).toBe(0x4650_5845);
});

test('a CPU without AVX gives a frame without it', () => {
  const frame = frameOf(x86(undefined), AT, false);
  expect([frame.readBigUInt64LE(448 + 472), frame.readBigUInt64LE(448 + 512)]).toEqual([3n, 3n]);
});

test('AVX-512 and protection keys count only where a thread has something in them', () => {
  expect(extendedState(x86({ xstateBv: 0xe7n, opmaskReg: [0n], zmmUpper: [0n], hi16Zmm: [0n] }))).toBe(0n);
  expect(extendedState(x86({ xstateBv: 0xe7n, opmaskReg: [0n], zmmUpper: [5n] }))).toBe(0xe0n);
  expect(extendedState(x86({ xstateBv: 0x207n, pkru: [0x5555_5554, 0] }))).toBe(0n);
  const state = x86({
    ...{ xstateBv: 0x2e7n, pkru: [0x10, 0] },
    ...{ opmaskReg: words(1000n, 8), zmmUpper: words(2000n, 64), hi16Zmm: words(3000n, 128) },
  });
  const frame = frameOf(state, AT, true);
  const at = 448 + 896;
  expect([0, 64, 128, 640].map((offset) => frame.readBigUInt64LE(at + offset))).toEqual([0x2e0n, 1000n, 2000n, 3000n]);
  expect(frame.readUInt32LE(at + 1664)).toBe(0x10);
  expect(frameStride('x86_64', true)).toBeGreaterThanOrEqual(FRAME_STACK + frame.length + 4096);
});

test('a frame of arm64 has each register where the kernel looks for it', () => {
  const state: FrameState = {
    arm64: {
      ...{ clearTidAddr: 1n, tls: 2n },
      gpregs: { regs: words(500n, 31), sp: 0x7ffcn, pc: 0x4242n, pstate: 0x6000_0000n },
      fpsimd: { vregs: words(900n, 64), fpsr: 0x11, fpcr: 0x22 },
    },
    ...{ sas: undefined, mask: 0x1000n },
  };
  const frame = frameOf(state, AT, false);
  const u64 = (at: number) => frame.readBigUInt64LE(at);
  // siginfo, then ucontext: flags, link, stack, mask.
  expect(frame.readInt32LE(128 + 24)).toBe(2);
  expect(u64(128 + 40)).toBe(0x1000n);
  const registers = 128 + 176 + 8;
  expect([0, 30, 31, 32, 33].map((index) => u64(registers + index * 8))).toEqual([
    500n,
    530n,
    0x7ffcn,
    0x4242n,
    0x6000_0000n,
  ]);
  const vectors = 128 + 176 + 288;
  expect([0, 4, 8, 12].map((at) => frame.readUInt32LE(vectors + at))).toEqual([0x4650_8001, 528, 0x11, 0x22]);
  expect([u64(vectors + 16), u64(vectors + 16 + 63 * 8), u64(vectors + 528)]).toEqual([900n, 963n, 0n]);
});

/** What is of interest of a core image of arm64 here. */
function arm64(keys?: bigint): NonNullable<FrameState['arm64']> {
  const [apiakeyLo, apiakeyHi, apibkeyLo, apibkeyHi, apdakeyLo, apdakeyHi, apdbkeyLo, apdbkeyHi] = words(keys ?? 0n, 8);
  const address = { apiakeyLo, apiakeyHi, apibkeyLo, apibkeyHi, apdakeyLo, apdakeyHi, apdbkeyLo, apdbkeyHi } as const;
  return {
    ...{ clearTidAddr: 1n, tls: 2n },
    gpregs: { regs: words(500n, 31), sp: 0x7ffcn, pc: 0x4242n, pstate: 0n },
    fpsimd: { vregs: words(900n, 64), fpsr: 0, fpcr: 0 },
    ...(keys !== undefined && {
      pacKeys: {
        pacAddressKeys: { ...(address as Record<keyof typeof address, bigint>), pacEnabledKey: 0xfn },
        pacGenericKeys: { apgakeyLo: keys + 8n, apgakeyHi: keys + 9n },
      },
    }),
  };
}

test('the keys of signed return addresses are behind the frame of arm64', () => {
  const at = 4688;
  const signed = frameOf({ arm64: arm64(7000n), sas: undefined, mask: 0n }, AT, false);
  const written = Array.from({ length: 12 }, (_, index) => signed.readBigUInt64LE(at + index * 8));
  expect(written).toEqual([...words(7000n, 10), 0xfn, 1n]);
  const plain = frameOf({ arm64: arm64(), sas: undefined, mask: 0n }, AT, false);
  expect(plain.subarray(at)).toEqual(Buffer.alloc(96));
  expect(frameStride('aarch64', false)).toBeGreaterThanOrEqual(FRAME_STACK + signed.length);
});

test('threads that sign addresses by keys of their own are refused', () => {
  const check = (second: bigint) => {
    const refusals = new Refusals();
    const thread = (keys: bigint) => ({ tiAarch64: arm64(keys) }) as CoreEntry;
    checkThreads(
      new Map([
        [1000, thread(1n)],
        [1001, thread(second)],
      ]),
      1000,
      'aarch64',
      refusals,
    );
    return () => refusals.check();
  };
  expect(check(1n)).not.toThrow();
  expect(check(2n)).toThrow(/threads that sign addresses by keys of their own/);
});

function core(more: Partial<CoreEntry> = {}): CoreEntry {
  const { x86: threadInfo, sas } = x86({});
  const threadCore = {
    ...{ futexRla: 0x7f33n, futexRlaLen: 24, schedNice: -3, schedPolicy: 0, schedPrio: 0, blkSigset: 2n, sas: sas! },
    ...{ pdeathSig: 0, seccompMode: 0, comm: '.NET Timer' },
    rseqEntry: { rseqAbiPointer: 0x7f44n, rseqAbiSize: 32, signature: 0x5305_3053, rseqCsPointer: 0n },
  };
  return { threadInfo: threadInfo!, threadCore, ...more };
}

test('threads come in the order of their numbers, and one inside the vdso is noticed', () => {
  const cores = new Map([
    [1005, core()],
    [1000, core()],
  ]);
  const threads = threadsOf(cores, 'x86_64', { start: 0x7f00_1000, end: 0x7f00_2000 });
  expect(threads.list.map(({ tid }) => tid)).toEqual([1000, 1005]);
  expect(threads.list[0]).toMatchObject({ name: '.NET Timer', tls: 0x7f11n, rseqBytes: 32, robustBytes: 24, nice: -3 });
  expect(threads).toMatchObject({ insideVdso: true, extended: false });
  expect(threads.stride % 64).toBe(0);
  const second = threads.frames.subarray(threads.stride + FRAME_STACK);
  expect(second.readBigUInt64LE(232)).toBe(BigInt(0x8000_1000 + threads.stride + FRAME_STACK + 448));
  expect(threadsOf(cores, 'x86_64', { start: 0x1000, end: 0x2000 }).insideVdso).toBe(false);
});

test('threads that can’t be restored are named with their numbers', () => {
  const refusals = new Refusals();
  const { threadInfo, threadCore } = core();
  const cores = new Map([
    [999, core()],
    [1000, core({ threadCore: { ...threadCore!, seccompMode: 2 } })],
    [1001, core({ threadInfo: { ...threadInfo!, gpregs: gpregs({ gsBase: 5n }) } })],
  ]);
  checkThreads(cores, 1000, 'x86_64', refusals);
  expect(() => refusals.check()).toThrow(/thread 999, whose number.*thread 1000 \(a seccomp filter\); thread 1001 \(/);
});
