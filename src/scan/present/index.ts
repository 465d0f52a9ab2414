/** The forms in which findings are shown; none of them holds a value. */
export { findingsToAnnotations } from './annotations.ts';
export { describeAllowance, describeSecret, valuesIn } from './describe.ts';
export { findingsToJson, scanJsonSchema } from './json.ts';
export { findingsToSarif } from './sarif.ts';
export { findingsToText } from './text.ts';
