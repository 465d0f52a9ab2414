/** What counts among the findings. */
export { readBaseline } from './baseline.ts';
export { readAllowances } from './file.ts';
export { findingsOf, withAges } from './findings.ts';
export type { AtBuild } from './fix.ts';
export { judge, NO_POLICY, type Policy } from './judge.ts';
export { hashOf, type ScanKey, scanKey } from './key.ts';
export type { Allowance } from './schema.ts';
