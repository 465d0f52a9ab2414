import type { CoreEntry, ItimerEntry, PosixTimerEntry, TaskCoreEntry } from './messages.ts';

/** struct pending: a signal that had not been delivered; thread 0 stands for the process. */
export interface Pending {
  tid: number;
  signal: number;
  info: Uint8Array;
}

/** All pending signals, those of the process first. */
export function pendingSignals(pid: number, cores: ReadonlyMap<number, CoreEntry>): Pending[] {
  const queues = [{ tid: 0, queue: cores.get(pid)?.tc?.signalsS }];
  for (const [tid, { threadCore }] of cores) queues.push({ tid, queue: threadCore?.signalsP });
  return queues.flatMap(({ tid, queue }) =>
    (queue?.signals ?? []).map(({ siginfo }) => ({ tid, signal: Buffer.from(siginfo).readInt32LE(0), info: siginfo })),
  );
}

/** The interval timers in the order of setitimer(): interval and value, in seconds and microseconds. */
export function intervalTimers({ timers }: TaskCoreEntry): bigint[][] {
  return [timers?.real, timers?.virt, timers?.prof].map((timer) => {
    const { isec, iusec, vsec, vusec }: ItimerEntry = timer ?? { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n };
    // One that was just about to fire has no time left, but must not be taken for one that is off.
    return vsec || vusec ? [isec, iusec, vsec, vusec] : [isec, iusec, isec, iusec];
  });
}

/** The POSIX timers in ascending order of their numbers, with the same regard to those about to fire. */
export function posixTimers({ timers }: TaskCoreEntry): PosixTimerEntry[] {
  return (timers?.posix ?? [])
    .map((timer): PosixTimerEntry => {
      const { itId, clockId, siSigno, itSigevNotify, sivalPtr, isec, insec, notifyThreadId } = timer;
      const [vsec, vnsec] = timer.vsec || timer.vnsec ? [timer.vsec, timer.vnsec] : [isec, insec];
      return { itId, clockId, siSigno, itSigevNotify, sivalPtr, isec, insec, vsec, vnsec, notifyThreadId };
    })
    .sort((a, b) => a.itId - b.itId);
}
