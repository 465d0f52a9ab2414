import { SnapshotError } from '../errors.ts';
import type { Manifest } from '../model/index.ts';

/** Raised when the launcher would take a file of the one for the other; runtime/launcher/launch.c has the same number. */
const FORMAT = 2;

/** What the companion may take beyond the time of the hooks, of the package and by path, before the launcher gives the clone up. */
const GRACE_SECONDS = 5;

/**
 * The part of the manifest that the launcher needs, as `key value` lines: a static C program then needs no JSON parser.
 * Throws DS3006 where the command, and DS6002 where the snapshot can't be stated so.
 */
export function launchFile(manifest: Manifest): string {
  const { process, host, cpu, files } = manifest;
  if (manifest.app.command.some((word) => word.includes('\n')))
    throw new SnapshotError('DS3006', 'The app’s command has a line break in one of its words.', {
      fix: 'Start the app by a command without line breaks.',
    });
  const images = Object.entries(files).map(([name, { xxh64, bytes }]) => {
    if (xxh64 === undefined)
      throw new SnapshotError('DS6002', `The manifest of snapshot ${manifest.id} has no XXH64 digest of ${name}.`, {
        fix: 'Take the checkpoint again with this version.',
      });
    return `image ${xxh64} ${bytes} ${name}`;
  });
  return [
    `format ${FORMAT}`,
    `snapshot ${manifest.id}`,
    `identity ${process.identity}`,
    `architecture ${host.architecture}`,
    `isa ${cpu?.isa ?? 'native'}`,
    `cpu ${(cpu?.features ?? []).join(' ')}`,
    `memory ${pageBytes(files)}`,
    `tids ${threads(files).join(' ')}`,
    `reserved ${manifest.runtime.reservedMemory ?? ''}`,
    `stdout ${process.stdout}`,
    `stderr ${process.stderr}`,
    `control-in ${process.controlIn}`,
    `control-out ${process.controlOut}`,
    `answer-seconds ${2 * manifest.hookSeconds + GRACE_SECONDS}`,
    ...images,
    ...manifest.appFiles.map(({ bytes, modified, xxh64, path }) => `file ${bytes} ${modified} ${xxh64} ${path}`),
    ...manifest.sockets.map((path) => `socket ${path}`),
    ...manifest.app.command.map((word) => `command ${word}`),
    '',
  ].join('\n');
}

/** Memory that the restored process has from its first moment on. */
function pageBytes(files: Manifest['files']): number {
  return Object.entries(files)
    .filter(([name]) => /^pages-\d+\.img$/.test(name))
    .reduce((sum, [, { bytes }]) => sum + bytes, 0);
}

/** CRIU writes one core image for each thread, named by its number; the process's first thread has that of the process. */
function threads(files: Manifest['files']): number[] {
  return Object.keys(files)
    .map((name) => Number(/^core-(\d+)\.img$/.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => !Number.isNaN(number))
    .sort((a, b) => a - b);
}
