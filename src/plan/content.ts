import { ADVICE, type Area, isPrivateAnonymous, MAP, pageCount, type Span } from './areas.ts';
import { PAGE } from './format.ts';
import type { Run } from './images.ts';

/** Pages that a restored app read, and those that it wrote, by its first answer. */
export interface Hot {
  read: readonly Span[];
  written: readonly Span[];
}

/** Addresses that the pages file is mapped at. Between its runs the file holds zeros. */
export interface Extent extends Span {
  runs: Run[];
  /** Whether a restored app needs some of it first. */
  hot: boolean;
}

/** How an area gets its content. */
export interface Content {
  /** Whether anything is left to see of what is below. */
  base: boolean;
  extents: Extent[];
  /** Read once all is mapped. */
  fills: Run[];
}

/** From so many pages on a mapping costs less than to read them. */
const MAPPED_PAGES = 16;
/** So many pages of zeros are stored rather than another mapping is made. */
const BRIDGED_PAGES = 8;
/** An area is mapped whole where no more of it is without content. */
const WHOLE = 0.75;
const POPULATED_PAGES = 4;

/** Decides how an area gets its content. */
export function contentOf(area: Area, runs: Run[], guards: readonly Span[], hot: Hot): Content {
  if (runs.length === 0) return { base: true, extents: [], fills: [] };
  // A file can't be mapped into what grows, nor into what the kernel wipes in a child.
  if (area.flags & MAP.GROWSDOWN || area.advice & (1 << ADVICE.WIPEONFORK))
    return { base: true, extents: [], fills: runs };
  const anonymous = isPrivateAnonymous(area);
  const content: Content = { base: true, extents: [], fills: [] };
  for (const extent of extents(area, runs, anonymous ? guards : undefined)) {
    const read =
      bytes(extent.runs) < MAPPED_PAGES * PAGE || (anonymous && overlap(extent, hot.written) > length(extent) / 2);
    if (area.prot & 2 && read) content.fills.push(...extent.runs);
    else content.extents.push({ ...extent, hot: overlap(extent, hot.read) + overlap(extent, hot.written) > 0 });
  }
  content.base = bytes(content.extents) < length(area);
  return content;
}

/** Ranges to be populated in a mapping of the pages file: for reading, or for writing. */
export function populated(extent: Span, prot: number, hot: Hot): { read: Span[]; written: Span[] } {
  const read = prot & 1 && pageCount(extent) >= POPULATED_PAGES ? clipped(hot.read, extent) : [];
  return { read: near(read, POPULATED_PAGES * PAGE), written: prot & 2 ? near(clipped(hot.written, extent), 0) : [] };
}

/** Joins ranges in ascending order that are no further apart than `gap` bytes. */
export function near(spans: readonly Span[], gap: number): Span[] {
  const result: Span[] = [];
  for (const { start, end } of spans) {
    const last = result.at(-1);
    if (last && start - last.end <= gap) last.end = Math.max(last.end, end);
    else result.push({ start, end });
  }
  return result;
}

/** Sum of the ranges' lengths, bytes. */
export function bytes(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + length(span), 0);
}

function length({ start, end }: Span): number {
  return end - start;
}

/** Runs to extents. With `guards` the area is anonymous, so gaps may be bridged by zeros; they never hide a guard. */
function extents(area: Area, runs: Run[], guards: readonly Span[] | undefined): Omit<Extent, 'hot'>[] {
  const result: Omit<Extent, 'hot'>[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    const gap = last ? { start: last.end, end: run.start } : area;
    const bridged = guards && length(gap) <= BRIDGED_PAGES * PAGE && overlap(gap, guards) === 0;
    if (last && (length(gap) === 0 || bridged)) {
      last.end = run.end;
      last.runs.push(run);
    } else result.push({ start: run.start, end: run.end, runs: [run] });
  }
  const enough = bytes(runs) >= MAPPED_PAGES * PAGE || !(area.prot & 2);
  if (guards && enough && bytes(result) >= WHOLE * length(area) && overlap(area, guards) === 0)
    return [{ start: area.start, end: area.end, runs }];
  return result;
}

function clipped(spans: readonly Span[], { start, end }: Span): Span[] {
  return spans
    .filter((span) => span.start < end && start < span.end)
    .map((span) => ({ start: Math.max(start, span.start), end: Math.min(end, span.end) }));
}

function overlap(span: Span, spans: readonly Span[]): number {
  return bytes(clipped(spans, span));
}
