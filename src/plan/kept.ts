import type { KeptFile } from '../model/index.ts';
import type { Area } from './areas.ts';
import type { Descriptors } from './descriptors.ts';
import { DESCRIPTOR, KEPT, STEP } from './format.ts';
import type { PagesLayout } from './pages.ts';

/** struct kept; `offset` is that in the pages file. */
export interface Kept {
  path: string;
  target: string;
  mode: number;
  policy: number;
  offset: number;
  bytes: number;
  xxh64: string;
}

const KINDS = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;
const [O_ACCMODE, O_WRONLY] = [3, 1];
/** What lies here is scratch: a file that is there already and that the app has not open says nothing of it. */
const SCRATCH = /^\/(tmp|dev\/shm)\//;

/** Puts the contents of the files that the app had made behind what there is, and says what one that is there already means. */
export function placeKept(
  layout: PagesLayout,
  kept: readonly KeptFile[],
  descriptors: Descriptors,
  areas: readonly Area[],
): Kept[] {
  return kept.map((file) => ({
    path: file.path,
    target: file.target ?? '',
    mode: KINDS[file.kind] | file.mode,
    policy: policyOf(file, descriptors, areas),
    offset: file.bytes === 0 ? 0 : layout.add({ file: 'files.bin', offset: file.offset, bytes: file.bytes }),
    bytes: file.bytes,
    xxh64: file.xxh64,
  }));
}

/**
 * What the app only wrote to is a log: it goes on at the end of the one that is there. What it read, mapped or may have
 * noted the content of must be as it was, or the app's start must be repeated.
 */
function policyOf({ path, held }: KeptFile, { list }: Descriptors, areas: readonly Area[]): number {
  if (!held) return SCRATCH.test(path) ? KEPT.ANY : KEPT.SAME;
  const open = list.filter(({ kind, name }) => kind === DESCRIPTOR.FILE && name === path);
  const numbers = new Set(open.map(({ fd }) => fd));
  const isMapped = areas.some(
    ({ kind, source }) => source === path || (kind === STEP.DESCRIPTOR && numbers.has(source as number)),
  );
  return open.length > 0 && !isMapped && open.every(({ flags }) => (flags & O_ACCMODE) === O_WRONLY)
    ? KEPT.APPEND
    : KEPT.SAME;
}
