import type { Manifest } from '../model/index.ts';
import type { Vdso } from './areas.ts';
import { pathOf } from './descriptors.ts';
import { type Header, PAGE, PLAN_FLAG } from './format.ts';
import type { VdsoCode } from './placement.ts';
import type { Process } from './process.ts';
import type { Refusals } from './refusals.ts';
import { intervalTimers } from './signals.ts';
import type { Architecture, Threads } from './threads.ts';

/** What the companion may take beyond the time of the hooks, of the package and by path, before a clone is given up. */
const GRACE_SECONDS = 5;

const ELF_MACHINE = { x86_64: 62, aarch64: 183 } as const;
const AT_PAGESZ = 6n;
const RLIMIT_NOFILE = 7;

/** The process's program and working folder. */
export interface Paths {
  program: string;
  folder: string;
}

/** Finds the paths; notes what they lack, a root that is not the container's, and pages of another size. */
export function pathsOf({ pid, mm, fs, files, remaps }: Process, refusals: Refusals): Paths {
  const path = (id: number, what: string) => {
    const name = files.get(id)?.reg?.name;
    if (name === undefined || remaps.ghosts.has(id) || remaps.lost.has(id) || name.includes('\ufffd'))
      refusals.add(`${what} without a path (${name})`, 'keep the file or folder while the app runs');
    return pathOf(name ?? '', pid);
  };
  if (path(fs.rootId, 'a root folder') !== '/') refusals.add('another root folder (chroot)', 'do not change it');
  const auxv = mm.mmSavedAuxv;
  const pageBytes = auxv.find((_, index) => index % 2 === 1 && auxv[index - 1] === AT_PAGESZ);
  if (pageBytes !== BigInt(PAGE))
    refusals.add(`memory pages of ${pageBytes} bytes`, 'take the checkpoint on a kernel with pages of 4 KiB');
  return { program: path(mm.exeFileId, 'a program'), folder: path(fs.cwdId, 'a working folder') };
}

/** What the header is made of. */
export interface HeaderParts {
  manifest: Manifest;
  machine: Architecture;
  process: Process;
  threads: Threads;
  vdso: Vdso | undefined;
  code: VdsoCode;
  paths: Paths;
  pages: Pick<Header, 'pagesBytes' | 'pagesHash' | 'hotBytes' | 'hotHash'>;
}

/** The plan's header. */
export function headerOf({ manifest, machine, process, threads, vdso, code, paths, pages }: HeaderParts): Header {
  const { mm, task, table, runs } = process;
  return {
    ...{ ...paths, ...pages, fillOffset: 0 },
    machine: ELF_MACHINE[machine],
    flags: flagsOf(process, threads),
    pid: process.pid,
    answerMs: 1000 * (2 * manifest.hookSeconds + GRACE_SECONDS),
    snapshot: manifest.id,
    isa: manifest.cpu?.isa ?? 'native',
    cpu: (manifest.cpu?.features ?? []).join(' '),
    umask: process.fs.umask,
    descriptorsEnd: Math.max(-1, ...table.map(({ fd }) => fd)) + 1,
    membarriers: task.membarrierRegistrationMask,
    memory: runs.reduce((sum, { start, end }) => sum + end - start, 0),
    mm: [
      ...[mm.mmStartCode, mm.mmEndCode, mm.mmStartData, mm.mmEndData, mm.mmStartBrk, mm.mmBrk, mm.mmStartStack],
      ...[mm.mmArgStart, mm.mmArgEnd, mm.mmEnvStart, mm.mmEnvEnd],
    ],
    vdsoStart: vdso?.start ?? 0,
    vdsoBytes: vdso ? vdso.end - vdso.start : 0,
    vvarBytes: vdso?.vvarBytes ?? 0,
    vdsoHash: code.hash,
    vdsoOffset: code.offset,
    timers: intervalTimers(task),
    frameStride: threads.stride,
    deathSignal: process.deathSignal,
  };
}

function flagsOf({ mm, task }: Process, { extended, insideVdso }: Threads): number {
  const files = task.rlimits?.rlimits[RLIMIT_NOFILE];
  const flags: [number, boolean][] = [
    [PLAN_FLAG.RAISE_NOFILE, files !== undefined && files.cur === files.max],
    [PLAN_FLAG.NOT_DUMPABLE, Object.hasOwn(mm, 'dumpable') && mm.dumpable !== 1],
    [PLAN_FLAG.NO_HUGE_PAGES, mm.thpDisabled],
    [PLAN_FLAG.SUBREAPER, task.childSubreaper],
    [PLAN_FLAG.INSIDE_VDSO, insideVdso],
    [PLAN_FLAG.EXTENDED_STATE, extended],
  ];
  return flags.reduce((sum, [flag, set]) => (set ? sum | flag : sum), 0);
}
