/** What counts among the findings. */
export { type Baseline, readBaseline } from './baseline.ts';
export { readAllowances } from './file.ts';
export { type FindingContext, findingsOf, withAges } from './findings.ts';
export { type Judgement, judge, NO_POLICY, type Policy } from './judge.ts';
export { hashOf, type ScanKey, scanKey } from './key.ts';
export type { Allowance } from './schema.ts';
