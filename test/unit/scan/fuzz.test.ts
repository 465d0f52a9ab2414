import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, expect, test } from 'vitest';

const CASES = 450;
const SEED = 46_250;

/** A case that takes longer is a hang. */
const PATIENCE_MS = 15_000;

/** Codes that tell what is wrong with what was given. */
const CLEAR = ['DS1001', 'DS2006', 'DS4002', 'DS6002'];

interface Result {
  index: number;
  what: string;
  outcome: string;
  millis: number;
  holdsSecret: boolean;
  tellsSecret: boolean;
  detail?: string;
}

let results: Result[];
let peakBytes: number;

/** Runs all cases; throws with the name of the one that ended the process or did not end. */
beforeAll(async () => {
  const node = join(import.meta.dirname, '../../../node_modules/.bin/node');
  const program = join(import.meta.dirname, 'fuzz-child.ts');
  const child = spawn(node, ['--max-old-space-size=256', program, String(SEED), '0', String(CASES)]);
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  results = [];
  let last = 'the start';
  let hung = false;
  const kill = () => {
    hung = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(kill, PATIENCE_MS);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(timer);
    timer = setTimeout(kill, PATIENCE_MS);
    const said = JSON.parse(line);
    if (said.peakBytes !== undefined) peakBytes = said.peakBytes;
    else if (said.outcome !== undefined) results.push(said);
    else last = `${said.index}: ${said.what}`;
  }
  clearTimeout(timer);
  const code = await ended;
  if (hung) throw new Error(`A scan does not end: case ${last}`);
  if (code !== 0) throw new Error(`A scan ended the process: case ${last}\n${errors}`);
}, 120_000);

const tell = ({ index, what, outcome, detail }: Result) =>
  `${index}: ${what}: ${outcome}${detail ? `\n${detail}` : ''}`;

test('whatever is given ends in a result or in a clear code', () => {
  expect(results.length).toBe(CASES);
  const unclear = results.filter(({ outcome }) => !['clean', 'findings', ...CLEAR].includes(outcome));
  expect(unclear.map(tell)).toEqual([]);
});

test('a secret that is still there is found, or the scan refuses to read it', () => {
  const blind = results.filter(({ holdsSecret, outcome }) => holdsSecret && outcome === 'clean');
  expect(blind.map(tell)).toEqual([]);
  // Not everything is refused, else nothing was shown.
  expect(results.filter(({ holdsSecret, outcome }) => holdsSecret && outcome === 'findings').length).toBeGreaterThan(
    30,
  );
});

test('no message holds the secret', () => {
  expect(results.filter(({ tellsSecret }) => tellsSecret).map(tell)).toEqual([]);
});

test('no case takes long or much memory, whatever sizes it tells of', () => {
  expect(results.filter(({ millis }) => millis > 5000).map(tell)).toEqual([]);
  expect(peakBytes).toBeLessThan(450e6);
});
