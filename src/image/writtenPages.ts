import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import type { Log } from '../log.ts';
import { PREFIX } from './runtime.ts';

/**
 * Tells the image which pages a clone of it has written by its first answer (lines of START-END): a restore then copies
 * them before the app's threads run, when that is cheap. The image keeps its tag and user.
 */
export async function addWrittenPages(
  tag: string,
  user: string,
  pages: string,
  { docker, log }: { docker: Docker; log: Log },
): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-image-'));
  try {
    await writeFile(join(context, 'written'), pages);
    await writeFile(join(context, 'Dockerfile'), `FROM ${tag}\nUSER 0\nCOPY written ${PREFIX}/\nUSER ${user}\n`);
    await docker.build(context, { tag, onLine: (line) => log.debug(line) });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
