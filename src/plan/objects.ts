import type { Images, Run } from './images.ts';
import type { MemfdInodeEntry, VmaEntry } from './messages.ts';
import { pages } from './pages.ts';
import type { Refusals } from './refusals.ts';

/** Memory that is shared or has a name; the restorer makes a memfd of it. */
export interface MemoryObject {
  name: string;
  bytes: number;
  seals: number;
  /** Their addresses are offsets in the object. */
  runs: Run[];
}

/** All objects of the process, each known by its number in `list`. */
export interface Objects {
  list: MemoryObject[];
  /** Number of a memfd by its inode_id. */
  ofMemfd(inode: number): number | undefined;
  /** Number of shared memory without a name by its shmid; undefined where one mapping without content is all there is. */
  ofShared(shmid: number): number | undefined;
}

/** Bit of a VMA's status: shared memory without a file. */
const ANON_SHARED = 1 << 8;

/** Reads memfd.img, the shared memory without a name that VMAs map, and the content of both. */
export async function readObjects(images: Images, vmas: readonly VmaEntry[], refusals: Refusals): Promise<Objects> {
  const list: MemoryObject[] = [];
  const memfds = new Map<number, number>();
  const shared = new Map<number, number>();
  for (const inode of await images.all<MemfdInodeEntry>('memfd', 'memfd_inode_entry')) {
    if (inode.hugetlbFlag) refusals.add(`the memfd ${inode.name} of huge pages`, 'turn huge pages of hugetlbfs off');
    const runs = await images.runs(`pagemap-shmem-${inode.shmid}`);
    memfds.set(Number(inode.inodeId), list.length);
    list.push({ name: inode.name, bytes: Number(inode.size), seals: inode.seals, runs });
  }
  const anonymous = vmas.filter(({ status }) => status & ANON_SHARED);
  for (const shmid of new Set(anonymous.map((vma) => Number(vma.shmid)))) {
    const parts = anonymous.filter((vma) => Number(vma.shmid) === shmid);
    const runs = await images.runs(`pagemap-shmem-${shmid}`);
    if (parts.length === 1 && runs.length === 0) continue;
    const bytes = pages(Math.max(...parts.map(({ start, end, pgoff }) => Number(pgoff + end - start))));
    shared.set(shmid, list.length);
    list.push({ name: 'shared', bytes, seals: 0, runs });
  }
  return { list, ofMemfd: (inode) => memfds.get(inode), ofShared: (shmid) => shared.get(shmid) };
}
