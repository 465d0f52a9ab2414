/**
 * `node bench/lib/first-pass.ts FOLDER` reads every byte of a dump as a scan does on one thread, and looks for nothing
 * in what it finds; prints how long that took once everything is loaded, in milliseconds.
 */
import { tmpdir } from 'node:os';
import { searchFiles } from '../../src/scan/engine/search.ts';
import { openSource } from '../../src/scan/sources/index.ts';

const source = await openSource(process.argv[2]!, { temporaryFolder: tmpdir() });
const nothing = { rules: { rules: [], allowlists: [], warnings: [] }, known: [] };
try {
  // The first time compiles it.
  await searchFiles(source.files, nothing, { threads: 1 });
  const started = performance.now();
  await searchFiles(source.files, nothing, { threads: 1 });
  console.log(JSON.stringify({ millis: performance.now() - started }));
} finally {
  await source.close();
}
