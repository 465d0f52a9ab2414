import type { Backing } from './areas.ts';
import type { Descriptors } from './descriptors.ts';
import { pathOf } from './descriptors.ts';
import { DESCRIPTOR, STEP } from './format.ts';
import type { VmaEntry } from './messages.ts';
import type { Process } from './process.ts';
import type { Refusals } from './refusals.ts';

/** Bits of a VMA's status: shared, of a file; shared, of none; of a memfd. */
const [FILE_SHARED, ANON_SHARED, MEMFD] = [1 << 7, 1 << 8, 1 << 14];
const [O_ACCMODE, O_RDONLY, O_WRONLY, O_RDWR, O_PATH] = [3, 0, 1, 2, 0o10000000];

/**
 * What VMAs of files and shared memory map: an object, a file that the app has open anyway, or a path. A VMA of a file that
 * can't be found again is refused.
 */
export function backings(
  { pid, files, remaps, objects, table }: Process,
  { list }: Descriptors,
  refusals: Refusals,
): (vma: VmaEntry) => Backing | undefined {
  const opened = new Map<string, number>();
  for (const { fd, kind, flags, name } of list) {
    const access = flags & O_ACCMODE;
    if (kind !== DESCRIPTOR.FILE || access === O_WRONLY || flags & O_PATH) continue;
    for (const mode of access === O_RDWR ? [O_RDONLY, O_RDWR] : [O_RDONLY])
      if (!opened.has(`${mode} ${name}`)) opened.set(`${mode} ${name}`, fd);
  }
  return (vma) => {
    const id = Number(vma.shmid);
    if (vma.status & ANON_SHARED) {
      const object = objects.ofShared(id);
      return object === undefined ? { kind: STEP.ANONYMOUS, source: 0 } : { kind: STEP.OBJECT, source: object };
    }
    const file = files.get(id);
    const object = file?.memfd && objects.ofMemfd(file.memfd.inodeId);
    if (vma.status & MEMFD && object !== undefined) return { kind: STEP.OBJECT, source: object };
    const name = pathOf(file?.reg?.name ?? '', pid);
    const ghost = remaps.ghosts.get(id);
    if (ghost) {
      // A deleted file is made anew for its descriptor; what is mapped must be the same.
      const holder = table.find((entry) => remaps.ghosts.get(entry.id) === ghost);
      if (holder) return { kind: STEP.DESCRIPTOR, source: list.find(({ fd }) => fd === holder.fd)?.fd ?? holder.fd };
    }
    if (!file?.reg || ghost || file.reg.ext || remaps.lost.has(id) || name.includes('\ufffd')) {
      const place = `0x${vma.start.toString(16)}`;
      refusals.add(
        `memory at ${place} of a file without a path (${name})`,
        'keep the file while the app has it mapped',
      );
      return undefined;
    }
    const writes = vma.status & FILE_SHARED && (vma.prot & 2 || (vma.fdflags & O_ACCMODE) === O_RDWR);
    const fd = opened.get(`${writes ? O_RDWR : O_RDONLY} ${name}`);
    return fd === undefined ? { kind: STEP.FILE, source: name } : { kind: STEP.DESCRIPTOR, source: fd };
  };
}
