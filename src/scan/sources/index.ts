export { type Age, agesOf, type TextAt } from './age.ts';
export { damaged } from './damage.ts';
export type { RuntimeHints } from './hints.ts';
export { hintsIn } from './hints.ts';
export { type OpenOptions, openSource } from './open.ts';
export type { Extent, Mapping, Place, ScannedFile, Source } from './source.ts';
