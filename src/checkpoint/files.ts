import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { KeptFile, Places } from '../model/index.ts';

/** A file, folder or link at a place that the app can write to, as the launcher tells of it. */
export interface WrittenFile extends KeptFile {
  /** Whether the app's user may read it. */
  readable: boolean;
}

/** What the launcher is told to copy while the app is stopped. */
export interface KeepOrder {
  /** `+FOLDER`, `=FOLDER` or `.PATH`, as runtime/launcher/keep.c takes them. */
  words: string[];
  /** Paths that are left out. */
  leave: string[];
  /** Paths that the app's image has, too. */
  inImage: ReadonlySet<string>;
}

export interface FileOptions {
  places: Places;
  /** The most bytes of files that travel with the snapshot. */
  filesLimit: number;
}

/** Can be written to in every container. */
const ALWAYS = ['/tmp', '/dev/shm'];
const KINDS = { f: 'file', d: 'folder', l: 'link' } as const;
/** The most files that are named in the log, of those that travel and of those that do not. */
const MOST_NAMED = 20;

/** Lines `KIND HELD MODE BYTES OFFSET XXH64 PATH[\tTARGET]`. */
export function parseWritten(text: string): WrittenFile[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([fdl]) ([h!-]) ([0-7]+) (\d+) (\d+) ([0-9a-f]{16}) (\/[^\t]*)(?:\t(.*))?$/.exec(line);
    if (!match) return [];
    const [, kind, state, mode, bytes, offset, xxh64, path, target] = match;
    return {
      kind: KINDS[kind as keyof typeof KINDS],
      path: path!,
      mode: Number.parseInt(mode!, 8),
      held: state === 'h',
      readable: state !== '!',
      offset: Number(offset),
      bytes: Number(bytes),
      xxh64: xxh64!,
      ...(target !== undefined && { target }),
    };
  });
}

/**
 * Looks at what the app has made or changed since its start, before its dump, and says what of it travels with the
 * snapshot and what a clone will not have. Throws DS3014 where what is open is larger than may travel.
 */
export async function surveyFiles(
  container: string,
  list: (words: readonly string[]) => Promise<WrittenFile[]>,
  { places, filesLimit }: FileOptions,
  { docker, log }: { docker: Docker; log: Log },
): Promise<KeepOrder> {
  const folders = [...ALWAYS, ...places.writable.filter((path) => path !== '/')];
  const mounts = places.mounts.map(({ target }) => target);
  const volumes = places.mounts.filter(({ readOnly }) => !readOnly).map(({ target }) => `=${target}`);
  const isMounted = (path: string) => [...folders, ...mounts, PREFIX].some((folder) => isWithin(path, folder));
  const changes = places.writable.includes('/')
    ? (await docker.diff(container)).filter(({ path }) => !isMounted(path))
    : [];
  const words = [...folders.map((path) => `+${path}`), ...volumes];
  const written = await list([
    ...words,
    ...changes.filter(({ kind }) => kind !== 'deleted').map(({ path }) => `.${path}`),
  ]);
  const inImage = new Set(changes.filter(({ kind }) => kind === 'changed').map(({ path }) => path));
  // Of a folder of the image only what is in it has changed.
  const files = written.filter(({ kind, path }) => kind !== 'folder' || !inImage.has(path));
  const left = leftOut(files, filesLimit);
  const kept = files.filter((file) => !left.includes(file));
  tell(kept, left, filesLimit, log);
  for (const { path } of changes.filter(({ kind }) => kind === 'deleted').slice(0, MOST_NAMED))
    log.warning(`The app deleted ${path} of its image; a clone has it again.`);
  const onRoot = new Set(changes.map(({ path }) => path));
  return {
    words: [...words, ...kept.filter(({ path }) => onRoot.has(path)).map(({ path }) => `.${path}`)],
    leave: left.map(({ path }) => path),
    inImage,
  };
}

/** What the launcher copied into the folder of CRIU's images, while the app was stopped. */
export async function keptFiles(directory: string, { inImage }: KeepOrder): Promise<KeptFile[]> {
  const file = join(directory, 'files.list');
  const files = parseWritten(await readFile(file, 'utf8'));
  await rm(file);
  if (!files.some(({ bytes }) => bytes > 0)) await rm(join(directory, 'files.bin'));
  return files.map(({ readable: _, ...kept }) => ({ ...kept, ...(inImage.has(kept.path) && { inImage: true }) }));
}

const SQLITE = Buffer.from('SQLite format 3\0');

/**
 * A database of SQLite that stays open is known to it by its inode, which is another one in a clone. Throws DS3008 where
 * one is open whose connection the companion can't make right after a restore (`known` lists those that it can).
 */
export async function requireKnownSqlite(
  directory: string,
  kept: readonly KeptFile[],
  known: readonly string[],
): Promise<void> {
  for (const { path, offset } of kept.filter(({ held, bytes }) => held && bytes >= 100)) {
    if (known.includes(path)) continue;
    const file = await open(join(directory, 'files.bin'));
    const head = Buffer.alloc(SQLITE.length);
    await file.read(head, 0, head.length, offset).finally(() => file.close());
    if (head.equals(SQLITE))
      throw new SnapshotError(
        'DS3008',
        `The restore engine can’t restore the open database ${path}: SQLite knows it by its inode.`,
        {
          fix: 'Open a connection for each use (pools are emptied), or close it in a hook before the checkpoint and open it after the restore; open ones go on with SQLitePCLRaw, as Microsoft.Data.Sqlite and EF Core use it.',
        },
      );
  }
}

/** Of the bundle, with the folder that the checkpoint is written to. */
const PREFIX = '/opt/dotnet-snapshot';

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** What is not open and does not fit: the largest first. */
function leftOut(files: WrittenFile[], limit: number): WrittenFile[] {
  const held = files.filter((file) => file.held);
  const heldBytes = sum(held);
  if (heldBytes > limit)
    throw new SnapshotError(
      'DS3014',
      `The app has ${count(held)} of ${size(heldBytes)} open that it made, and files-limit lets ${size(limit)} travel with the snapshot.`,
      {
        detail: named(held.toSorted((a, b) => b.bytes - a.bytes)).join('\n'),
        fix: `Set files-limit to ${Math.ceil(heldBytes / 2 ** 20)} (MiB) or more, or close the file in a hook before the checkpoint.`,
      },
    );
  let room = limit - heldBytes;
  return files
    .filter(({ kind, held }) => kind === 'file' && !held)
    .toSorted((a, b) => a.bytes - b.bytes)
    .filter(({ bytes, readable }) => {
      const fits = readable && bytes <= room;
      if (fits) room -= bytes;
      return !fits;
    });
}

function tell(kept: WrittenFile[], left: WrittenFile[], limit: number, log: Log): void {
  const files = kept.filter(({ kind }) => kind === 'file');
  if (files.length > 0)
    log.info(
      `the app made ${count(files)} of ${size(sum(files))}, which each clone has as at the checkpoint: ${named(files.toSorted((a, b) => Number(b.held) - Number(a.held) || b.bytes - a.bytes)).join(', ')}`,
    );
  if (left.length > 0)
    log.warning(
      `The app made ${count(left)} of ${size(sum(left))} that no clone has, because files-limit lets ${size(limit)} travel or the app’s user can’t read them: ${named(left).join(', ')}.`,
    );
}

function named(files: WrittenFile[]): string[] {
  const names = files
    .slice(0, MOST_NAMED)
    .map(({ path, bytes, held }) => `${path} (${size(bytes)}${held ? ', open' : ''})`);
  return files.length > MOST_NAMED ? [...names, `and ${files.length - MOST_NAMED} more`] : names;
}

function count({ length }: WrittenFile[]): string {
  return length === 1 ? '1 file' : `${length} files`;
}

function sum(files: WrittenFile[]): number {
  return files.reduce((bytes, file) => bytes + file.bytes, 0);
}

/** Bytes as people read them. */
function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
