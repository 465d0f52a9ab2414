import type { Manifest } from '../model/index.ts';
import type { Descriptor, Descriptors } from './descriptors.ts';
import type { PlanFile, Writer } from './format.ts';
import type { Kept } from './kept.ts';
import type { Lock } from './locks.ts';
import type { Memory, Step } from './memory.ts';
import type { Prefetch } from './prefetch.ts';
import type { Process } from './process.ts';
import { pendingSignals, posixTimers } from './signals.ts';
import type { Threads } from './threads.ts';
import type { VdsoFunction } from './vdso.ts';

/** An object with the places of its content in the pages file. */
export interface PlacedObject {
  bytes: number;
  name: string;
  seals: number;
  contents: { at: number; bytes: number; offset: number }[];
}

/** What the launcher checks before it follows the plan. */
export function encodeManifest(plan: PlanFile, { app, appFiles, kept }: Manifest): void {
  // Those that the app made are put where they are missing, and looked at there.
  const made = new Set(kept.map(({ path }) => path));
  plan.entries('COMMAND', app.command, (writer, word) => writer.u32(plan.text(word)));
  const unchanged = appFiles.filter(({ path }) => !made.has(path));
  plan.entries('FILES', unchanged, (writer, { bytes, modified, xxh64, path }) =>
    writer.u64(bytes, modified, BigInt(`0x${xxh64}`)).u32(plan.text(path), 0),
  );
}

/** Descriptors, and all that refers to them. */
export function encodeDescriptors(
  plan: PlanFile,
  { list, copies, watches }: Descriptors,
  locks: readonly Lock[],
): void {
  let options = 0;
  plan.entries('DESCRIPTORS', list, (writer, descriptor) => {
    encodeDescriptor(plan, writer, descriptor, options);
    options += descriptor.options.length;
  });
  plan.entries(
    'OPTIONS',
    list.flatMap((descriptor) => descriptor.options),
    (writer, { level, name, value }) => writer.u32(level, name, value, 0),
  );
  plan.entries('COPIES', copies, (writer, { from, to, cloexec }) => writer.u32(from, to, cloexec, 0));
  plan.entries('WATCHES', watches, (writer, { epoll, fd, events, data }) => writer.u32(epoll, fd, events, 0).u64(data));
  plan.entries('LOCKS', locks, (writer, { fd, kind, type, start, bytes }) =>
    writer.u32(fd, kind, type, 0).u64(start, bytes),
  );
}

function encodeDescriptor(plan: PlanFile, writer: Writer, descriptor: Descriptor, option: number): void {
  const { fd, kind, flags, cloexec, extra, name, a, c, options, timer } = descriptor;
  const b = timer ? plan.struct(timer) : descriptor.b;
  const text = typeof name === 'string' ? plan.text(name) : plan.struct(name);
  writer.u32(fd, kind, flags, cloexec, extra, text).u64(a, b, c).u32(option, options.length);
}

/** Objects, steps and fills. */
export function encodeMemory(plan: PlanFile, memory: Memory, objects: readonly PlacedObject[]): void {
  let contents = 0;
  plan.entries('OBJECTS', objects, (writer, object) => {
    writer.u64(object.bytes).u32(plan.text(object.name), object.seals, contents, object.contents.length);
    contents += object.contents.length;
  });
  plan.entries(
    'CONTENTS',
    objects.flatMap((object) => object.contents),
    (writer, { at, bytes, offset }) => writer.u64(at, bytes, offset),
  );
  const encodeStep = (writer: Writer, step: Step) => {
    const { kind, start, end, prot, flags, source, offset } = step;
    const from = typeof source === 'string' ? plan.text(source) : source;
    writer.u64(start, end - start, offset).u32(kind, prot, flags, from);
  };
  plan.entries('STEPS', memory.steps, encodeStep);
  plan.entries('LATE_STEPS', memory.late, encodeStep);
  plan.entries('FILLS', memory.fills, (writer, { start, end }) => writer.u64(start, end - start));
}

/** Threads, signals and timers. */
export function encodeThreads(plan: PlanFile, threads: Threads, { pid, cores, task, mm }: Process): void {
  plan.raw('FRAMES', threads.frames);
  plan.entries('THREADS', threads.list, (writer, thread) =>
    writer
      .u32(thread.tid, plan.text(thread.name))
      .u64(thread.clearTid, thread.robustList, thread.robustBytes, thread.tls, thread.rseq)
      .u32(thread.rseqBytes, thread.rseqSignature, thread.nice, thread.policy, thread.priority, 0),
  );
  plan.entries('ACTIONS', task.sigactions, (writer, { sigaction, flags, restorer, mask }) =>
    writer.u64(sigaction, flags, restorer, mask),
  );
  plan.entries('PENDING', pendingSignals(pid, cores), (writer, { tid, signal, info }) => {
    const end = writer.u32(tid, signal).length + 128;
    writer.bytes(info.subarray(0, 128)).until(end);
  });
  plan.entries('TIMERS', posixTimers(task), (writer, timer) =>
    writer
      .u32(timer.itId, timer.clockId, timer.siSigno, timer.itSigevNotify)
      .u64(timer.sivalPtr)
      .u32(timer.notifyThreadId, 0)
      .u64(timer.isec, timer.insec, timer.vsec, timer.vnsec),
  );
  const { mmSavedAuxv: auxv } = mm;
  plan.entries('AUXV', auxv.at(-2) === 0n ? auxv : [...auxv, 0n, 0n], (writer, word) => writer.u64(word));
}

/** What the launcher asks the kernel for beside the restore. */
export function encodePrefetch(plan: PlanFile, prefetches: readonly Prefetch[]): void {
  plan.entries('PREFETCH', prefetches, (writer, { path, offset, bytes }) =>
    writer.u32(plan.text(path), 0).u64(offset, bytes),
  );
}

/** Files that the app had made. */
export function encodeKept(plan: PlanFile, kept: readonly Kept[]): void {
  plan.entries('KEPT', kept, (writer, { path, target, mode, policy, offset, bytes, xxh64 }) =>
    writer.u32(plan.text(path), plan.text(target), mode, policy).u64(offset, bytes, BigInt(`0x${xxh64}`)),
  );
}

/** The functions that the app may have called in the vdso. */
export function encodeVdso(plan: PlanFile, functions: readonly VdsoFunction[]): void {
  plan.entries('VDSO', functions, (writer, { name, offset, bytes }) => writer.u32(plan.text(name), offset, bytes, 0));
}
