import { LOCK } from './format.ts';
import type { FileLockEntry } from './messages.ts';
import type { Refusals } from './refusals.ts';

/** struct lock */
export interface Lock {
  fd: number;
  kind: number;
  type: number;
  start: bigint;
  bytes: bigint;
}

/** Kinds of locks in filelocks.img. */
const [POSIX, FLOCK, OF_DESCRIPTION] = [1, 2, 4];
const F_WRLCK = 1;
const [LOCK_SH, LOCK_EX] = [1, 2];

/** Locks on files that the process holds. */
export function locksOf(pid: number, entries: readonly FileLockEntry[], refusals: Refusals): Lock[] {
  return entries
    .filter((entry) => entry.pid === pid)
    .map(({ flag, type, fd, start, len }) => {
      const lock = { fd, type, start, bytes: len };
      // Such locks are stored as F_RDLCK and F_WRLCK, too; what is beyond is a mandatory lock.
      if (flag & FLOCK && type <= F_WRLCK)
        return { ...lock, kind: LOCK.OF_FILE, type: type === F_WRLCK ? LOCK_EX : LOCK_SH };
      if (flag & POSIX) return { ...lock, kind: LOCK.OF_PROCESS };
      if (flag & OF_DESCRIPTION) return { ...lock, kind: LOCK.OF_DESCRIPTION };
      refusals.add(`a lease or mandatory lock on descriptor ${fd}`, 'give it up in a hook before the checkpoint');
      return { ...lock, kind: LOCK.OF_FILE };
    });
}
