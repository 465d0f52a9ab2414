import { open } from 'node:fs/promises';
import { join } from 'node:path';
import xxhash from 'xxhash-wasm';
import type { Vdso } from './areas.ts';
import { bytes } from './content.ts';
import type { Descriptors } from './descriptors.ts';
import type { PlacedObject } from './encode.ts';
import type { Bytes } from './ghosts.ts';
import type { Run } from './images.ts';
import type { Memory } from './memory.ts';
import type { MemoryObject } from './objects.ts';
import type { PagesLayout } from './pages.ts';
import { type VdsoFunction, vdsoFunctions } from './vdso.ts';

/** In the plan: the vdso's code is not in the pages file. */
const ABSENT = (1n << 64n) - 1n;

/**
 * Puts the memory's content in the order in which it is needed: what is read, mapped extents that the first answer needs,
 * other extents. Writes the extents' places to their steps. Returns where the first two end.
 */
export function placeMemory(layout: PagesLayout, { steps, fills, extents }: Memory): number {
  for (const fill of fills) layout.add(fill.source);
  const place = new Map<unknown, number>();
  const add = (hot: boolean) => {
    for (const extent of extents.filter((extent) => extent.hot === hot)) {
      const at = layout.reserve(extent.end - extent.start);
      for (const run of extent.runs) layout.put(at + run.start - extent.start, run.source);
      place.set(extent, at);
    }
  };
  add(true);
  const hotBytes = layout.end;
  add(false);
  for (const step of steps) if (step.extent) step.offset = place.get(step.extent)!;
  return hotBytes;
}

/** Puts an object's content behind what there is. */
export function placeObject(layout: PagesLayout, { name, bytes, seals, runs }: MemoryObject): PlacedObject {
  const contents = runs.map(({ start, end, source }) => ({
    at: start,
    bytes: Math.min(end, bytes) - start,
    offset: layout.add(source),
  }));
  return { name, bytes, seals, contents };
}

/** Puts the content of pipes, once for both ends, and of deleted files behind what there is. */
export function placeDescriptors(layout: PagesLayout, { list }: Descriptors): void {
  const places = new Map<Bytes, number>();
  for (const descriptor of list) {
    const { content } = descriptor;
    if (!content) continue;
    const at = places.get(content) ?? layout.reserve(content.bytes);
    if (!places.has(content)) for (const part of content.parts) layout.put(at + part.at, part.source);
    places.set(content, at);
    descriptor.b = at;
  }
}

/** What a plan tells of the vdso's code. */
export interface VdsoCode {
  offset: number | bigint;
  hash: bigint;
  functions: VdsoFunction[];
}

/** Puts the vdso's code behind what there is, where the image files in a folder have all of it. */
export async function placeVdso(
  layout: PagesLayout,
  images: string,
  vdso: Vdso | undefined,
  runs: readonly Run[],
): Promise<VdsoCode> {
  if (!vdso || bytes(runs) !== vdso.code.end - vdso.code.start) return { offset: ABSENT, hash: 0n, functions: [] };
  const parts: Buffer[] = [];
  const offset = layout.reserve(bytes(runs));
  for (const { start, source } of runs) {
    layout.put(offset + start - vdso.code.start, source);
    const file = await open(join(images, source.file));
    const part = Buffer.alloc(source.bytes);
    await file.read(part, 0, source.bytes, source.offset).finally(() => file.close());
    parts.push(part);
  }
  const code = Buffer.concat(parts);
  return { offset, hash: (await xxhash()).h64Raw(code), functions: vdsoFunctions(code) };
}
