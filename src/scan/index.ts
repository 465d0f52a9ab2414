/** The scan: what holds a process's memory in, findings out. */

export { scanSnapshot } from './scan.ts';
export { hintsIn } from './sources/index.ts';
