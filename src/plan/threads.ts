import type { Span } from './areas.ts';
import { FRAME_STACK, FRAMES_OFFSET, type Int, PLAN_BASE } from './format.ts';
import { extendedState, type FrameState, frameOf, frameStride } from './frames.ts';
import type { CoreEntry } from './messages.ts';
import type { Refusals } from './refusals.ts';

/** struct thread */
export interface Thread {
  tid: number;
  name: string;
  clearTid: bigint;
  robustList: bigint;
  robustBytes: number;
  tls: bigint;
  rseq: Int;
  rseqBytes: number;
  rseqSignature: number;
  nice: number;
  policy: number;
  priority: number;
}

/** All threads of the process, and what goes into the section FRAMES. */
export interface Threads {
  /** In ascending order of their numbers. */
  list: Thread[];
  stride: number;
  frames: Buffer;
  /** A thread has more than x87, SSE and AVX in use. */
  extended: boolean;
  /** A thread is in the kernel's own code in the process. */
  insideVdso: boolean;
}

/** An architecture, as the manifest names it. */
export type Architecture = 'x86_64' | 'aarch64';

/** Core images of threads by the thread's number. */
export type Cores = ReadonlyMap<number, CoreEntry>;

/** Notes what threads have that can't be restored. */
export function checkThreads(cores: Cores, pid: number, machine: Architecture, refusals: Refusals): void {
  const lowest = Math.min(...cores.keys());
  if (lowest !== pid)
    refusals.add(`thread ${lowest}, whose number is below that of process ${pid}`, 'take the checkpoint again');
  for (const [tid, core] of cores) check(tid, tid === pid, core, machine, refusals);
  // Threads get the keys for signed return addresses from the first one.
  const keys = ({ tiAarch64 }: CoreEntry) => Object.values({ ...tiAarch64?.pacKeys?.pacAddressKeys }).join();
  if (new Set([...cores.values()].map(keys)).size > 1)
    refusals.add('threads that sign addresses by keys of their own', 'use no library that changes them');
}

/** Threads without anything that checkThreads() notes. `code` is that of the vdso. */
export function threadsOf(cores: Cores, machine: Architecture, code: Span | undefined): Threads {
  const sorted = [...cores].sort(([a], [b]) => a - b);
  const states = sorted.map(([, { threadInfo: x86, tiAarch64: arm64, tc, threadCore }]): FrameState => {
    return { x86, arm64, sas: threadCore?.sas, mask: tc ? tc.blkSigset : (threadCore?.blkSigset ?? 0n) };
  });
  const extended = states.some((state) => extendedState(state) !== 0n);
  const stride = frameStride(machine, extended);
  const frames = Buffer.alloc(stride * sorted.length);
  for (const [index, state] of states.entries()) {
    const at = index * stride + FRAME_STACK;
    frames.set(frameOf(state, PLAN_BASE + FRAMES_OFFSET + at, extended), at);
  }
  const insideVdso = states.some(({ x86, arm64 }) => {
    const at = Number(x86?.gpregs.ip ?? arm64?.gpregs.pc);
    return code !== undefined && at >= code.start && at < code.end;
  });
  return { list: sorted.map(([tid, core]) => threadOf(tid, core)), stride, frames, extended, insideVdso };
}

function threadOf(tid: number, { threadInfo, tiAarch64, tc, threadCore }: CoreEntry): Thread {
  const rseq = threadCore?.rseqEntry;
  return {
    tid,
    name: threadCore?.comm || (tc?.comm ?? ''),
    clearTid: (threadInfo ?? tiAarch64)!.clearTidAddr,
    robustList: threadCore?.futexRla ?? 0n,
    robustBytes: threadCore?.futexRlaLen ?? 0,
    tls: threadInfo?.gpregs.fsBase ?? tiAarch64!.tls,
    rseq: rseq?.rseqAbiPointer ?? 0,
    rseqBytes: rseq?.rseqAbiSize ?? 0,
    rseqSignature: rseq?.signature ?? 0,
    nice: threadCore?.schedNice ?? 0,
    policy: threadCore?.schedPolicy ?? 0,
    priority: threadCore?.schedPrio ?? 0,
  };
}

/** Mode of user_x86_regs_entry, for 32 bits; state of task_core_entry. */
const COMPAT = 2;
const ALIVE = 1;

function check(tid: number, leader: boolean, core: CoreEntry, machine: string, refusals: Refusals): void {
  const { threadInfo, tiAarch64, tc, threadCore } = core;
  const refuse = (found: boolean | undefined, what: string, fix: string) =>
    found && refusals.add(`thread ${tid} (${what})`, fix);
  refuse(
    !(machine === 'x86_64' ? threadInfo : tiAarch64),
    `not of ${machine}`,
    'take the checkpoint on such a machine',
  );
  refuse(threadInfo?.gpregs.mode === COMPAT, '32 bits', 'build the app for 64 bits');
  refuse(threadInfo && threadInfo.gpregs.gsBase !== 0n, 'its register GS is in use', 'use no library that sets it');
  const shadow = threadInfo?.fpregs?.xsave?.cet;
  refuse(shadow && shadow.cet !== 0n, 'a shadow stack', 'start the app without shadow stacks (GLIBC_TUNABLES)');
  refuse((threadCore?.seccompMode || tc?.oldSeccompMode || 0) !== 0, 'a seccomp filter', 'set none in the app');
  refuse((threadCore?.rseqEntry?.rseqCsPointer ?? 0n) !== 0n, 'inside of a restartable sequence', 'take it again');
  refuse(!leader && (threadCore?.pdeathSig ?? 0) !== 0, 'a signal at its parent’s death', 'set it in the first thread');
  refuse(tc && tc.taskState !== ALIVE, 'stopped or dead', 'let the app run while it is checkpointed');
  refuse(
    tc?.sigactions.some((action) => action.compatSigaction),
    'a 32-bit signal handler',
    'build it for 64 bits',
  );
}
