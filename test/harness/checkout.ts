import { cp } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { PROJECT_ROOT } from './run-workflow.ts';

/** Puts a sample's files, without what builds left among them, into a folder: somebody's repository as it is checked out. */
export async function checkOutSample(sample: string, folder: string): Promise<void> {
  const source = join(PROJECT_ROOT, 'samples', sample);
  const library = join(PROJECT_ROOT, 'runtime', 'package');
  const options = { recursive: true, filter: (path: string) => !['bin', 'obj'].includes(basename(path)) };
  await cp(source, folder, options);
  // The samples refer to the package's project by its place beside them.
  await cp(library, join(folder, relative(source, library)), options);
}
