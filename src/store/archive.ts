import { mkdir } from 'node:fs/promises';
import { SnapshotError } from '../errors.ts';

/** Runs a program, its name first, and resolves to what it wrote to stdout; rejects when it fails or can't be found. */
export type Run = (argv: [string, ...string[]]) => Promise<string>;

/**
 * Packs a folder's contents with the system's tar, modes included. The same contents give the same order of entries and
 * belong to nobody. Resolves to the archive: `stem` and `.tar.zst`, or `.tar.gz` where there is no zstd.
 */
export async function packDirectory(run: Run, dir: string, stem: string): Promise<string> {
  const zstd = await run(['zstd', '--version']).then(
    () => true,
    () => false,
  );
  const [ending, compression] = zstd ? ['.tar.zst', '--zstd'] : ['.tar.gz', '--gzip'];
  const same = ['--sort=name', '--hard-dereference', '--owner=0', '--group=0', '--numeric-owner'];
  await run([
    'tar',
    '--create',
    compression,
    ...same,
    '--force-local',
    '--file',
    stem + ending,
    '--directory',
    dir,
    '.',
  ]);
  return stem + ending;
}

/**
 * Unpacks an archive into a folder, which is created where it is missing. An archive may come from elsewhere: only plain
 * files and folders that stay inside are taken, else nothing is unpacked. Throws DS6002.
 */
export async function unpackArchive(run: Run, file: string, dir: string): Promise<void> {
  await refuseForeignEntries(run, file);
  await mkdir(dir, { recursive: true });
  await tar(run, file, ['--extract', '--no-same-owner', '--preserve-permissions', '--directory', dir]);
}

async function refuseForeignEntries(run: Run, file: string): Promise<void> {
  // Escaped, a name can't hold a line break, so both listings have one line for each entry.
  const list = ['--list', '--absolute-names', '--quoting-style=escape'];
  const names = lines(await tar(run, file, list));
  const modes = lines(await tar(run, file, ['--verbose', ...list]));
  const foreign = names.find((name, index) => leaves(name) || !/^[-d][-rwxtT]{9} /.test(modes[index] ?? ''));
  if (foreign === undefined) return;
  throw new SnapshotError('DS6002', `${file} holds ${foreign}, which is no plain file or folder inside the snapshot.`);
}

function leaves(name: string): boolean {
  return name.startsWith('/') || name.split('/').includes('..');
}

async function tar(run: Run, file: string, options: string[]): Promise<string> {
  try {
    return await run(['tar', ...options, '--force-local', '--file', file]);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new SnapshotError('DS6002', `${file} could not be read as an archive.`, { detail });
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
