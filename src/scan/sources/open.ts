import { mkdirSync, mkdtempSync, readFileSync, rmSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SnapshotError } from '../../errors.ts';
import { assemble } from './assemble.ts';
import { elfKindOf } from './elf/file.ts';
import { expand } from './expand.ts';
import { hintsIn, MOST_MANIFEST_BYTES, type RuntimeHints } from './hints.ts';
import type { Source } from './source.ts';
import { headOf, type StoredFile } from './stored.ts';
import { isTarHeader } from './tar.ts';
import { cleanName, filesUnder } from './tree.ts';
import { compressionOf, foreignFormatOf } from './unpack.ts';

export interface OpenOptions {
  /** Where compressed archives are unpacked to, in a folder that `close` removes. */
  temporaryFolder: string;
  /** What is known of the runtime where no manifest.json tells it yet. */
  hints?: RuntimeHints;
  /** Bytes that may be unpacked in all; 64 GiB unless told. */
  unpackLimit?: number;
}

const UNPACK_LIMIT = 64 * 2 ** 30;

/**
 * Opens what is to be scanned, by its content: a folder with CRIU images (also the output folder of a build, and the
 * checkpoint folder of a Docker container), a checkpoint archive of Podman, CRI-O, the kubelet or containerd (tar,
 * gzip or zstd around it), or an ELF core dump. Reads what tells of the memory, none of the memory. `close` it.
 * Throws DS6002 where there is nothing to scan, DS1001 for what is none of these, DS4002 where something is not whole
 * or pages can't be assigned, DS2006 where there is no room to unpack.
 */
export async function openSource(path: string, options: OpenOptions): Promise<Source> {
  const stats = statOf(path);
  const isFolder = stats.isDirectory();
  // Reading a pipe or a device may never end.
  if (!isFolder && !stats.isFile()) throw new SnapshotError('DS1001', `${path} is neither a folder nor a file.`);
  const root = isFolder ? rootOf(path) : path;
  const files = isFolder ? filesUnder(root) : [{ name: cleanName(basename(path)), size: stats.size, path, start: 0 }];
  if (!isFolder) requireKnownFormat(files[0]!);
  mkdirSync(options.temporaryFolder, { recursive: true });
  const folder = mkdtempSync(join(options.temporaryFolder, 'scan-'));
  const close = async () => rmSync(folder, { recursive: true, force: true });
  try {
    const expanded = await expand(files, { folder, limit: options.unpackLimit ?? UNPACK_LIMIT }, !isFolder);
    const hints = options.hints ?? (isFolder ? hintsBeside(root) : undefined);
    const assembled = assemble(expanded, hints, !isFolder);
    if (assembled.folders + assembled.cores === 0) {
      throw new SnapshotError('DS6002', `There is no CRIU image in ${path}${isFolder ? '' : ', and no core dump'}.`);
    }
    return { ...assembled.source, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new SnapshotError('DS6002', `${path} can't be read.`, { detail: String(error) });
  }
}

/** Of the output folder of a build only the snapshot: the rest of it is not what was dumped. */
function rootOf(folder: string): string {
  const snapshot = join(folder, 'snapshot');
  return statSync(join(snapshot, 'checkpoint'), { throwIfNoEntry: false })?.isDirectory() ? snapshot : folder;
}

/** The manifest of a build lies beside the folder with the images. */
function hintsBeside(root: string): RuntimeHints | undefined {
  const path = join(dirname(resolve(root)), 'manifest.json');
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile() || stats.size > MOST_MANIFEST_BYTES) return undefined;
  try {
    return hintsIn(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function requireKnownFormat(file: StoredFile): void {
  const head = headOf(file, 512);
  if (isTarHeader(head) || compressionOf(head) || elfKindOf(head) === 'core') return;
  const foreign = foreignFormatOf(head);
  throw new SnapshotError('DS1001', `${file.name} is neither a checkpoint archive nor a core dump.`, {
    fix: foreign
      ? `It is a ${foreign} file: unpack it first.`
      : 'Name a folder with CRIU images, a checkpoint archive (tar, tar.gz, tar.zst) or an ELF core dump.',
  });
}
