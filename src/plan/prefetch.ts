import type { Span } from './areas.ts';
import { near } from './content.ts';
import { PAGE, STEP } from './format.ts';
import type { Memory } from './memory.ts';

/** A part of a file that the first answer needs. */
export interface Prefetch {
  /** The empty string for the pages file. */
  path: string;
  offset: number;
  bytes: number;
}

/** Parts that are no further apart are fetched as one. */
const GAP_PAGES = 8;

/**
 * What a clone had of files when it had answered its first request (`files`), and what it needed of the pages file (`pages`)
 * outside of the hot part, which ends at `hotBytes`. `pathOf` tells the path of a descriptor that the app has open.
 */
export function prefetches(
  { steps }: Pick<Memory, 'steps'>,
  hotBytes: number,
  { files, pages }: { files: readonly Span[]; pages: readonly Span[] },
  pathOf: (descriptor: number) => string | undefined,
): Prefetch[] {
  const found = new Map<string, Span[]>();
  for (const step of steps) {
    const ofSnapshot = step.kind === STEP.PAGES;
    if (ofSnapshot && step.offset < hotBytes) continue;
    const path = ofSnapshot ? '' : pathOfStep(step, pathOf);
    if (path === undefined) continue;
    const parts = (ofSnapshot ? pages : files)
      .filter((span) => span.start < step.end && step.start < span.end)
      .map((span) => ({
        start: Math.max(span.start, step.start) - step.start + step.offset,
        end: Math.min(span.end, step.end) - step.start + step.offset,
      }));
    if (parts.length > 0) found.set(path, [...(found.get(path) ?? []), ...parts]);
  }
  // The pages file first: it is needed first.
  return [...found]
    .sort(([a], [b]) => Number(a !== '') - Number(b !== ''))
    .flatMap(([path, parts]) => {
      const joined = near(
        parts.sort((a, b) => a.start - b.start),
        GAP_PAGES * PAGE,
      );
      return joined.map(({ start, end }) => ({ path, offset: start, bytes: end - start }));
    });
}

function pathOfStep(
  { kind, source }: Memory['steps'][number],
  pathOf: (descriptor: number) => string | undefined,
): string | undefined {
  if (kind === STEP.FILE) return String(source);
  return kind === STEP.DESCRIPTOR ? pathOf(Number(source)) : undefined;
}
