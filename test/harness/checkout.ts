import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PROJECT_ROOT } from './run-workflow.ts';

/** Puts a sample's files, without what builds left among them, into a folder: somebody's repository as it is checked out. */
export async function checkOutSample(sample: string, folder: string): Promise<void> {
  await cp(join(PROJECT_ROOT, 'samples', sample), folder, {
    recursive: true,
    filter: (path) => !['bin', 'obj'].includes(basename(path)),
  });
}
