import { ADVICE, type Area, isPrivateAnonymous, joined, MAP, pageCount, type Span } from './areas.ts';
import { bytes, contentOf, type Extent, type Hot, near } from './content.ts';
import { arranged } from './covers.ts';
import { STEP } from './format.ts';
import { type Run, within } from './images.ts';

/** A step of the restorer. Where it maps an extent, its offset is known once the pages file is laid out. */
export interface Step extends Span {
  kind: (typeof STEP)[keyof typeof STEP];
  prot: number;
  flags: number;
  offset: number;
  /** Path, or a number. */
  source: string | number;
  extent?: Extent;
}

/** How the address space is made. */
export interface Memory {
  steps: Step[];
  /** Once the fills are done. */
  late: Step[];
  /** Content that is read into what the steps mapped, in the order of addresses. */
  fills: Run[];
  /** Content that is mapped, in the order of addresses. */
  extents: Extent[];
}

/** So many pages in a row are worth a system call that gets them. */
const POPULATED_PAGES = 16;

/** Advice that a kernel may refuse without harm. */
const TOLERATED: readonly number[] = [ADVICE.MERGEABLE, ADVICE.HUGEPAGE, ADVICE.NOHUGEPAGE, ADVICE.DONTDUMP];

/**
 * Steps for areas in ascending order and the content that they have. `guards` are pages inside them that fault on purpose,
 * `hot` is what a restored app needs first, where that is known. Throws where content lies outside of areas that are private.
 */
export function mapMemory(
  areas: readonly Area[],
  runs: readonly Run[],
  guards: readonly Span[] = [],
  hot?: Hot,
): Memory {
  const memory: Memory = { steps: [], late: [], fills: [], extents: [] };
  const writable: Step[] = [];
  const [written, locked]: [Span[], Step[]] = [[], []];
  const contents = byArea(owned(joined(areas), runs), runs);
  const reserved = new Set(
    [...contents].filter(([area, runs]) => isReserved(area) && runs.length === 0).map(([area]) => area),
  );
  for (const item of sequences([...contents.keys()]).flatMap((sequence) => arranged(sequence, reserved))) {
    if ('advice' in item) {
      memory.steps.push(madvise(item.advised, item.advice, TOLERATED.includes(item.advice)));
      continue;
    }
    const { area } = item;
    const content = contentOf(area, contents.get(area) ?? [], guards, hot);
    const later = area.writableLater || (content.fills.length > 0 && !(area.prot & 2));
    if (later) writable.push(step(STEP.PROTECT, area, area.prot));
    if (content.base) memory.steps.push(mapped(area, later ? area.prot | 2 : area.prot));
    for (const extent of content.extents)
      memory.steps.push({ ...step(STEP.PAGES, extent, area.prot), flags: pagesFlags(area), extent });
    written.push(...content.first);
    memory.extents.push(...content.extents);
    memory.fills.push(...content.fills);
    if (area.locked) locked.push(step(STEP.LOCK, area));
  }
  memory.fills.sort((a, b) => a.start - b.start);
  memory.extents.sort((a, b) => a.start - b.start);
  // Pages that are there cost less to fill than pages that come by faults.
  const large = near(memory.fills, 0).filter((span) => pageCount(span) >= POPULATED_PAGES);
  memory.steps.push(...large.map((span) => madvise(span, ADVICE.POPULATE_WRITE, true)));
  // A guard can't be set in memory that is locked, and what is read-only can't be filled.
  memory.late = [
    ...writable,
    ...guards.map((span) => madvise(span, ADVICE.GUARD_INSTALL, false)),
    ...near(written, 0).map((span) => madvise(span, ADVICE.POPULATE_WRITE, true)),
    ...locked,
  ];
  return memory;
}

function step(kind: Step['kind'], { start, end }: Span, prot = 0): Step {
  return { kind, start, end, prot, flags: 0, offset: 0, source: 0 };
}

function mapped(area: Area, prot: number): Step {
  return { ...step(area.kind, area, prot), flags: area.flags | MAP.FIXED, offset: area.offset, source: area.source };
}

function madvise(span: Span, advice: number, tolerated: boolean): Step {
  return { ...step(STEP.ADVISE, span), flags: advice, source: tolerated ? 1 : 0 };
}

function pagesFlags(area: Area): number {
  return (area.flags & ~MAP.ANONYMOUS) | MAP.FIXED;
}

/** Keeps addresses free and holds nothing. */
function isReserved(area: Area): boolean {
  return isPrivateAnonymous(area) && area.prot === 0 && !area.locked && !(area.flags & (MAP.GROWSDOWN | MAP.DROPPABLE));
}

/** A private mapping of a file of which each page is the app’s own is the file’s no longer. */
function owned(areas: readonly Area[], runs: readonly Run[]): Area[] {
  const contents = byArea(areas, runs);
  return joined(
    areas.map((area) => {
      const whole = bytes(contents.get(area)!) === area.end - area.start;
      if (!whole || isPrivateAnonymous(area)) return area;
      return { ...area, kind: STEP.ANONYMOUS, source: 0, offset: 0, flags: area.flags | MAP.ANONYMOUS };
    }),
  );
}

/** The content of each area. */
function byArea(areas: readonly Area[], runs: readonly Run[]): Map<Area, Run[]> {
  const contents = new Map<Area, Run[]>(areas.map((area) => [area, []]));
  let next = 0;
  for (const run of runs)
    for (let at = run.start; at < run.end; ) {
      while (next < areas.length && areas[next]!.end <= at) next++;
      const area = areas[next];
      if (!area || area.start > at || area.flags & MAP.SHARED)
        throw new Error(`content at 0x${at.toString(16)} is in no private memory`);
      const end = Math.min(run.end, area.end);
      contents.get(area)!.push(...within([run], { start: at, end }));
      at = end;
    }
  return contents;
}

/** Groups of areas that lie side by side. */
function sequences(areas: readonly Area[]): Area[][] {
  const groups: Area[][] = [];
  for (const area of areas) {
    if (groups.at(-1)?.at(-1)?.end === area.start) groups.at(-1)!.push(area);
    else groups.push([area]);
  }
  return groups;
}
