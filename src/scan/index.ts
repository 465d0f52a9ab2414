/** The secrets gate: a snapshot folder in, findings out, and the forms in which findings are shown. */

export * from './present/index.ts';
export { type ScanOptions, scanSnapshot } from './scan.ts';
export { hintsIn } from './sources/index.ts';
