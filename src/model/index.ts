/** The values that flow from stage to stage; a stage imports these, never another stage. */
export type * from './access.ts';
export type * from './app.ts';
export type * from './cache.ts';
export type * from './findings.ts';
export type { KeptFile, Manifest, Places, Snapshot } from './manifest.ts';
export type * from './report.ts';
export type * from './traffic.ts';
