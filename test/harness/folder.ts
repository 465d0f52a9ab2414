import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder of one run of the tests; a worker may end without a chance to remove what it made. */
const VARIABLE = 'DOTNET_SNAPSHOT_TEST_FOLDER';

/** Called once by vitest, before all workers; what it returns is called after them. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'dotnet-snapshot-test-'));
  // Other users, such as PostgreSQL's, reach what is theirs in it.
  chmodSync(folder, 0o711);
  process.env[VARIABLE] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** A new folder, which is removed when the run ends. */
export function newFolder(): string {
  return mkdtempSync(join(process.env[VARIABLE] ?? tmpdir(), 'dotnet-snapshot-test-'));
}
