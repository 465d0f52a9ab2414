import { ADVICE, type Area, isPrivateAnonymous, MAP, pageCount, type Span } from './areas.ts';
import { PAGE } from './format.ts';
import { type Run, within } from './images.ts';

/** Pages that a restored app read, and those that it wrote, by its first answer. */
export interface Hot {
  read: readonly Span[];
  written: readonly Span[];
}

/** Addresses that the pages file is mapped at. Between its runs the file holds zeros. */
export interface Extent extends Span {
  runs: Run[];
  /** Whether a restored app needs most of it first. */
  hot: boolean;
}

/** How an area gets its content. */
export interface Content {
  /** Whether anything is left to see of what is below. */
  base: boolean;
  extents: Extent[];
  /** Read once all is mapped. */
  fills: Run[];
  /** Of the extents, what is written first: to be copied at once, for that costs less than to wait for each access. */
  first: Span[];
}

/** So many pages of zeros are stored rather than another mapping is made. */
const BRIDGED_PAGES = 8;
/** An area is mapped whole where no more of it is without content. */
const WHOLE = 0.5;
/** An extent is parted where so many pages of it are not needed first. */
const SPLIT_PAGES = 48;

/**
 * What a restore spends on content, in microseconds: a mapping; a page that is read; a page that is mapped and then
 * written, so that it is copied at the first access; a look at mapped pages. Estimates from the steps of restores on 2 cores;
 * only their ratio counts.
 */
const COST = { map: 4, read: 1.5, write: 2.5, look: 1 };
/** Pages that the kernel maps at one look. */
const AROUND = 16;

/**
 * Decides how an area gets its content. `guards` and `hot` may hold more than the area's. Without `hot` all that can be is
 * mapped, so that a clone shows which pages it asks for.
 */
export function contentOf(area: Area, runs: Run[], guards: readonly Span[], hot: Hot | undefined): Content {
  const content: Content = { base: true, extents: [], fills: [], first: [] };
  if (runs.length === 0) return content;
  // A file can't be mapped into what grows, nor into what the kernel wipes in a child.
  if (!area.mappable || area.flags & MAP.GROWSDOWN || area.advice & (1 << ADVICE.WIPEONFORK))
    return { ...content, fills: runs };
  const [read, written] = [clipped(hot?.read ?? [], area), clipped(hot?.written ?? [], area)];
  for (const extent of extentsOf(area, runs, isPrivateAnonymous(area) ? clipped(guards, area) : undefined)) {
    if (hot && area.prot & 2 && isCheaperRead(area, extent, { read, written })) {
      content.fills.push(...extent.runs);
      continue;
    }
    content.extents.push(...byNeed(extent, [...read, ...written].sort(ascending)));
    if (area.prot & 2) content.first.push(...clipped(written, extent));
  }
  content.base = bytes(content.extents) < length(area);
  return content;
}

/** Parts that are needed first and parts that are not, where the latter are large enough to be left out of what is read first. */
function byNeed(extent: Omit<Extent, 'hot'>, needed: readonly Span[]): Extent[] {
  const hot = near(clipped(needed, extent), SPLIT_PAGES * PAGE);
  const borders = hot.flatMap(({ start, end }, index) => {
    const [before, after] = [hot[index - 1]?.end ?? extent.start, hot[index + 1]?.start ?? extent.end];
    return [
      ...(start - before >= SPLIT_PAGES * PAGE ? [start] : []),
      ...(after - end >= SPLIT_PAGES * PAGE ? [end] : []),
    ];
  });
  const edges = [...new Set([extent.start, ...borders, extent.end])];
  return edges.slice(1).map((end, index) => {
    const part = { start: edges[index]!, end };
    return { ...part, runs: within(extent.runs, part), hot: overlap(part, needed) > length(part) / 2 };
  });
}

/** Whether content costs less when it is read at once than when it is mapped. */
function isCheaperRead(area: Area, extent: Omit<Extent, 'hot'>, { read, written }: Hot): boolean {
  // What covers its whole area needs no other mapping below.
  const map = length(extent) === length(area) ? 0 : COST.map;
  const looks = Math.min(overlap(extent, read) / PAGE, Math.ceil(pageCount(extent) / AROUND));
  const copies = overlap(extent, written) / PAGE;
  return COST.read * (bytes(extent.runs) / PAGE) < map + COST.look * looks + COST.write * copies;
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

function ascending(a: Span, b: Span): number {
  return a.start - b.start;
}

/** Sum of the ranges' lengths, bytes. */
export function bytes(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + length(span), 0);
}

function length({ start, end }: Span): number {
  return end - start;
}

/** Runs to extents. With `guards` the area is anonymous, so gaps may be bridged by zeros; they never hide a guard. */
function extentsOf(area: Area, runs: Run[], guards: readonly Span[] | undefined): Omit<Extent, 'hot'>[] {
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
  if (guards && bytes(result) >= WHOLE * length(area) && overlap(area, guards) === 0)
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
