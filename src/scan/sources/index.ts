export { agesOf, type TextAt } from './age.ts';
export { hintsIn, type RuntimeHints } from './hints.ts';
export { openSource } from './open.ts';
export type { ScannedFile, Source } from './source.ts';
