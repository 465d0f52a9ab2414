/** The secrets gate: a snapshot folder in, findings out, and the forms in which findings are shown. */
export { knownSecretsFrom } from './known.ts';
export { findingsToSarif } from './sarif.ts';
export { type ScanOptions, scanSnapshot } from './scan.ts';
export { findingsToText } from './text.ts';
