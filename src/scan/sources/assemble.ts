import { posix } from 'node:path';
import { SnapshotError } from '../../errors.ts';
import { type CriuFolder, isMemoryImage, readFolder } from './criu/folder.ts';
import { type CoreDump, readCore } from './elf/core.ts';
import { elfKindOf } from './elf/file.ts';
import type { Expanded } from './expand.ts';
import { hintsIn, MOST_MANIFEST_BYTES, type RuntimeHints } from './hints.ts';
import { placeIn, placeOfProcess } from './memory.ts';
import { objectSeekerIn } from './objects.ts';
import { pieceAt } from './pieces.ts';
import type { Extent, Place, ScannedFile, Source } from './source.ts';
import { headOf, type StoredFile, withReader } from './stored.ts';
import { byName } from './tree.ts';

/** The source, and how many CRIU folders and core dumps are in it. */
export interface Assembled {
  source: Pick<Source, 'files' | 'placeOf' | 'memoryOf' | 'planted'>;
  folders: number;
  cores: number;
}

/**
 * Finds the CRIU folders and core dumps among the files; all other files are records, each one piece.
 * `hints` count for folders without a manifest.json of their own in or beside them. `strict`: a damaged core dump is
 * an error, and not only a file with other content. Throws DS4002 where pages can't be assigned.
 */
export function assemble({ files, rest }: Expanded, hints: RuntimeHints | undefined, strict: boolean): Assembled {
  const folders = new Map<string, { criu: CriuFolder; hints: RuntimeHints | undefined }>();
  const manifests = new Map(files.filter(isManifest).map((file) => [posix.dirname(file.name), file]));
  for (const [folder, inside] of byFolder(files)) {
    if (!inside.some(({ name }) => isMemoryImage(posix.basename(name)))) continue;
    const manifest = manifests.get(folder) ?? manifests.get(posix.dirname(folder));
    const own = (manifest && readHints(manifest)) ?? hints;
    folders.set(folder, { criu: readFolder(folder, inside, own), hints: own });
  }

  const cores = new Map<string, CoreDump>();
  const extentsOf = (file: StoredFile): Extent[] => {
    const pages = folders.get(posix.dirname(file.name))?.criu.extents.get(file.name);
    if (pages !== undefined) return pages;
    const core = readCoreIn(file, strict && files.length === 1);
    if (core === undefined) return file.size === 0 ? [] : [{ offset: 0, length: file.size }];
    cores.set(file.name, core);
    return core.extents;
  };
  const scanned = files.map((file): ScannedFile => ({ ...file, extents: extentsOf(file) }));

  const recorded = (name: string, offset: number): Place => {
    const core = cores.get(name);
    if (core === undefined) {
      return folders.get(posix.dirname(name))?.criu.placeOf(name, offset) ?? { mapping: 'record' };
    }
    const piece = pieceAt(core.extents, offset);
    if (piece?.address === undefined) return { mapping: 'record', ...placeOfProcess(core.memory) };
    return placeIn(core.memory, piece.address + BigInt(offset - piece.offset));
  };
  const memoryOf: Source['memoryOf'] = (name) => {
    const core = cores.get(name);
    if (core) return { registers: core.memory.registers };
    const folder = folders.get(posix.dirname(name));
    const memory = folder?.criu.memory.get(name);
    const stringType = folder?.hints?.pid === memory?.pid ? folder?.hints?.stringType : undefined;
    return memory && { registers: memory.registers, ...(stringType === undefined ? {} : { stringType }) };
  };
  const holdsObject = objectSeekerIn(scanned, (name) => memoryOf(name)?.stringType);
  const placeOf = (name: string, offset: number): Place => {
    const place = recorded(name, offset);
    // Literals, and the whole heap in a core dump, lie in memory that looks like any other from outside.
    return place.mapping === 'anonymous memory' && holdsObject(name, place.address)
      ? { ...place, mapping: 'managed heap' }
      : place;
  };
  return {
    source: {
      ...{ files: byName([...scanned, ...rest]), placeOf, memoryOf },
      planted: [...folders.values()].flatMap((folder) => folder.hints?.planted ?? []),
    },
    folders: folders.size,
    cores: cores.size,
  };
}

function byFolder(files: StoredFile[]): Map<string, StoredFile[]> {
  const folders = new Map<string, StoredFile[]>();
  for (const file of files) {
    const folder = posix.dirname(file.name);
    const inside = folders.get(folder);
    if (inside) inside.push(file);
    else folders.set(folder, [file]);
  }
  return folders;
}

function isManifest({ name, size }: StoredFile): boolean {
  return posix.basename(name) === 'manifest.json' && size <= MOST_MANIFEST_BYTES;
}

function readHints(manifest: StoredFile): RuntimeHints | undefined {
  return hintsIn(withReader(manifest, (reader) => reader.read(0, manifest.size)).toString('utf8'));
}

/** The file as a core dump; undefined for what is none. */
function readCoreIn(file: StoredFile, strict: boolean): CoreDump | undefined {
  if (elfKindOf(headOf(file, 64)) !== 'core') return undefined;
  try {
    return readCore(file);
  } catch (error) {
    if (strict || !(error instanceof SnapshotError)) throw error;
    return undefined;
  }
}
