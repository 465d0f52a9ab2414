/** The values that flow from stage to stage; a stage imports these, never another stage. */
export type * from './findings.ts';
export type * from './report.ts';
export type * from './traffic.ts';
