import type { Images, Source } from './images.ts';
import type { GhostFileEntry, RemapFilePathEntry } from './messages.ts';

/** Bytes that go into the pages file: parts of image files by their place; what lies between is zero. */
export interface Bytes {
  bytes: number;
  parts: { at: number; source: Source }[];
}

/** A file that has no name any more. */
export interface Ghost {
  mode: number;
  content: Bytes;
}

/** What became of paths that do not lead to their file. */
export interface Remaps {
  /** Deleted files, by the id of the open file; more than one may be the same file. */
  ghosts: Map<number, Ghost>;
  /** Open files of other kinds that have no path. */
  lost: Set<number>;
}

const GHOST = 1;

/** Reads remap-fpath.img and the deleted files that it names. */
export async function readRemaps(images: Images): Promise<Remaps> {
  const known = new Map<number, Ghost>();
  const remaps: Remaps = { ghosts: new Map(), lost: new Set() };
  for (const remap of await images.all<RemapFilePathEntry>('remap-fpath', 'remap_file_path_entry')) {
    if (remap.remapType !== GHOST) {
      remaps.lost.add(remap.origId);
      continue;
    }
    if (!known.has(remap.remapId)) known.set(remap.remapId, await readGhost(images, remap.remapId));
    remaps.ghosts.set(remap.origId, known.get(remap.remapId)!);
  }
  return remaps;
}

async function readGhost(images: Images, id: number): Promise<Ghost> {
  const [file, ...chunks] = await images.withBytes<Partial<GhostFileEntry> & { len?: bigint; off?: bigint }>(
    `ghost-file-${id.toString(16)}`,
    ['ghost_file_entry', 'ghost_chunk_entry'],
    (message, left) => (message.len !== undefined ? Number(message.len) : message.chunks ? 0 : left),
  );
  if (!file) throw new Error(`ghost-file-${id.toString(16)}.img is missing`);
  const { message, source } = file;
  const parts = message.chunks
    ? chunks.map(({ message: { off }, source }) => ({ at: Number(off), source }))
    : [{ at: 0, source }];
  const bytes = message.chunks ? Number(message.size) : source.bytes;
  return { mode: message.mode ?? 0, content: { bytes, parts } };
}
