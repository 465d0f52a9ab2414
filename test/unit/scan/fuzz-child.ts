/**
 * Scans the cases of `node fuzz-child.ts SEED FIRST COUNT` one after the other and writes a line of JSON before each
 * and one after. A process of its own, so that a hang or a crash is seen for what it is.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toSnapshotError } from '../../../src/errors.ts';
import { scan } from './facade.ts';
import { buildCase } from './fuzz-cases.ts';
import { Random } from './random.ts';

const [seed, first, count] = process.argv.slice(2).map(Number) as [number, number, number];
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

for (let index = first; index < first + count; index++) {
  const folder = mkdtempSync(join(tmpdir(), 'scan-fuzz-'));
  try {
    const random = new Random(seed + index);
    const secret = `ghp_${random.text(36)}`;
    const { what, path, holdsSecret } = buildCase(index, folder, random, secret);
    say({ index, what });
    const started = performance.now();
    let outcome: string;
    let told = '';
    try {
      const { findings } = await scan(path);
      outcome = findings.length > 0 ? 'findings' : 'clean';
      told = JSON.stringify(findings);
    } catch (error) {
      const failure = toSnapshotError(error);
      outcome = failure.code;
      told = `${failure.format()}\n${failure.stack}`;
    }
    const millis = Math.round(performance.now() - started);
    const detail = outcome === 'DS9001' ? told : undefined;
    say({ index, what, outcome, millis, holdsSecret, tellsSecret: told.includes(secret.slice(4, 24)), detail });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
say({ peakBytes: process.resourceUsage().maxRSS * 1024 });
