import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Manifest } from '../model/index.ts';
import { addressSpace, type Span } from './areas.ts';
import { backings } from './backings.ts';
import { type Hot, near } from './content.ts';
import { type Descriptors, describe } from './descriptors.ts';
import {
  encodeDescriptors,
  encodeKept,
  encodeManifest,
  encodeMemory,
  encodePrefetch,
  encodeThreads,
  encodeVdso,
} from './encode.ts';
import { PAGE, PlanFile } from './format.ts';
import { headerOf, pathsOf } from './header.ts';
import { Images, type Run, within } from './images.ts';
import { placeKept } from './kept.ts';
import { locksOf } from './locks.ts';
import { mapMemory } from './memory.ts';
import { PagesLayout } from './pages.ts';
import { placeDescriptors, placeMemory, placeObject, placeVdso } from './placement.ts';
import { prefetches } from './prefetch.ts';
import { type Process, readProcess } from './process.ts';
import { Refusals } from './refusals.ts';
import { type Architecture, checkThreads, threadsOf } from './threads.ts';

/** Addresses, the end not included. */
export interface Range {
  start: bigint;
  end: bigint;
}

/** What a plan is made of. */
export interface PlanInput {
  /** Folder with CRIU's image files and the description of their messages, images.desc. */
  images: string;
  manifest: Manifest;
  /** Pages that a clone read, those that it wrote, and those that it had of other files, by its first answer; or the plan is made for a clone that will show them. */
  hot: { read: Range[]; written: Range[]; files: Range[] } | 'to be recorded';
}

/** Figures of a plan. */
export interface PlanSummary {
  planBytes: number;
  pagesBytes: number;
  /** What the first answer needs of the pages file: its beginning. */
  hotBytes: number;
  /** Steps, those after the fills included. */
  mappings: number;
  fills: number;
  descriptors: number;
  threads: number;
}

/**
 * Turns CRIU's image files into the files `plan` and `pages` in the folder `output`, which the launcher's restorer follows:
 * runtime/restorer/plan.h tells their form. Throws DS3008 with the names of all that can't be restored.
 */
export async function compilePlan(input: PlanInput, output: string): Promise<PlanSummary> {
  const { images, manifest } = input;
  const refusals = new Refusals();
  const machine = architecture(manifest);
  const process = await readProcess(await Images.open(images), manifest.process.pid, refusals);
  const descriptors = descriptorsOf(process, manifest, refusals);
  const locks = locksOf(process.pid, process.locks, refusals);
  const ofRuntime = rangesOf(manifest.runtime.reservedMemory);
  const space = addressSpace(process.mm.vmas, backings(process, descriptors, refusals), ofRuntime, refusals);
  const paths = pathsOf(process, refusals);
  checkThreads(process.cores, process.pid, machine, refusals);
  refusals.check();

  const { areas, guards, vdso } = space;
  const hot = hotOf(input);
  const memory = mapMemory(areas, outside(process.runs, vdso), guards, hot);
  const threads = threadsOf(process.cores, machine, vdso?.code);
  const layout = new PagesLayout();
  const hotBytes = placeMemory(layout, memory);
  const objects = process.objects.list.map((object) => placeObject(layout, object));
  placeDescriptors(layout, descriptors);
  const kept = placeKept(layout, manifest.kept, descriptors, areas);
  const code = await placeVdso(layout, images, vdso, vdso ? within(process.runs, vdso.code) : []);
  await mkdir(output, { recursive: true });
  const hashes = await layout.write(join(output, 'pages'), images, hotBytes);

  const plan = new PlanFile();
  encodeManifest(plan, manifest);
  encodeDescriptors(plan, descriptors, locks);
  encodeMemory(plan, memory, objects);
  encodeThreads(plan, threads, process);
  encodeVdso(plan, code.functions);
  encodeKept(plan, kept);
  if (hot) {
    const needed = { files: hot.files, pages: [...hot.read, ...hot.written] };
    const pathOf = (fd: number) => {
      const name = descriptors.list.find((descriptor) => descriptor.fd === fd)?.name;
      return typeof name === 'string' ? name : undefined;
    };
    encodePrefetch(plan, prefetches(memory, hotBytes, needed, pathOf));
  }
  const pages = { pagesBytes: layout.end, hotBytes, ...hashes };
  const bytes = await plan.finish(headerOf({ manifest, machine, process, threads, vdso, code, paths, pages }));
  await writeFile(join(output, 'plan'), bytes);
  return {
    planBytes: bytes.length,
    pagesBytes: layout.end,
    hotBytes,
    mappings: memory.steps.length + memory.late.length,
    fills: memory.fills.length,
    descriptors: descriptors.list.length + descriptors.copies.length,
    threads: threads.list.length,
  };
}

/** `START-END,…` in hexadecimal; undefined where there is none. */
function rangesOf(text: string | undefined): Span[] | undefined {
  if (!text) return undefined;
  return text.split(',').map((range) => {
    const [start, end] = range.split('-').map((part) => Number.parseInt(part, 16)) as [number, number];
    return { start, end };
  });
}

function architecture({ host, id }: Manifest): Architecture {
  if (host.architecture === 'x86_64' || host.architecture === 'aarch64') return host.architecture;
  throw new SnapshotError('DS6002', `Snapshot ${id} is of a machine that can’t be restored: ${host.architecture}.`, {
    fix: 'Build it on x86_64 or aarch64.',
  });
}

function descriptorsOf(process: Process, manifest: Manifest, refusals: Refusals): Descriptors {
  const { stdout, stderr, controlIn, controlOut } = manifest.process;
  const inherited = [stdout, stderr, controlIn, controlOut];
  return describe({ ...process, inherited, semaphores: manifest.semaphores }, refusals);
}

/** Content that is not in a range. */
function outside(runs: readonly Run[], range: Span | undefined): Run[] {
  if (!range) return [...runs];
  const [below, above] = [
    { start: 0, end: range.start },
    { start: range.end, end: Number.MAX_SAFE_INTEGER },
  ];
  return [...within(runs, below), ...within(runs, above)];
}

/** Whole pages in ascending order. */
function hotOf({ hot }: PlanInput): (Hot & { files: Span[] }) | undefined {
  if (hot === 'to be recorded') return undefined;
  const pages = (ranges: Range[]) =>
    near(
      ranges
        .map(({ start, end }) => ({
          start: Math.floor(Number(start) / PAGE) * PAGE,
          end: Math.ceil(Number(end) / PAGE) * PAGE,
        }))
        .sort((a, b) => a.start - b.start),
      0,
    );
  return { read: pages(hot.read), written: pages(hot.written), files: pages(hot.files) };
}
