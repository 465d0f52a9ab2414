import { integer, message, text } from '../protobuf.ts';
import type { StoredFile } from '../stored.ts';
import { recordsIn } from './image.ts';

/** What `files.img` tells of the open and mapped files, by their ids. */
export interface FileNames {
  paths: Map<bigint, string>;
  /** Inode ids of memfds, see `readMemfds`. */
  memfds: Map<bigint, bigint>;
}

/** Reads `files.img`, or `reg-files.img` as CRIU before 3.3 wrote it. Throws DS4002 where it is damaged. */
export function readFileNames(file: StoredFile): FileNames {
  const names: FileNames = { paths: new Map(), memfds: new Map() };
  const old = file.name.endsWith('reg-files.img');
  for (const entry of recordsIn(file, old ? 'regFiles' : 'files')) {
    const id = integer(entry, old ? 1 : 2);
    if (id === undefined) continue;
    const regular = old ? entry : message(entry, 3, file.name);
    const path = regular && text(regular, 6);
    if (path !== undefined) names.paths.set(id, path);
    const memfd = old ? undefined : message(entry, 20, file.name);
    const inode = memfd && integer(memfd, 5);
    if (inode !== undefined) names.memfds.set(id, inode);
  }
  return names;
}

/** A memfd: the id of its segment (`pagemap-shmem-<shmid>.img`) and its name. */
export interface Memfd {
  shmid: bigint;
  name: string;
}

/** Reads `memfd.img` (images/memfd.proto), by inode id. Throws DS4002 where it is damaged. */
export function readMemfds(file: StoredFile): Map<bigint, Memfd> {
  const memfds = new Map<bigint, Memfd>();
  for (const inode of recordsIn(file, 'memfd')) {
    const id = integer(inode, 7);
    const shmid = integer(inode, 5);
    if (id === undefined || shmid === undefined) continue;
    memfds.set(id, { shmid, name: (text(inode, 1) ?? '').replace(/^\/?(memfd:)?/, '/memfd:') });
  }
  return memfds;
}
