import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import { CANARY_ENCODINGS } from '../../../src/scan/canaries.ts';
import { variablesAtBuild } from '../../../src/secrets/atBuild.ts';

// The companion and the build each have their own list; were they to differ, nobody would say so.
const companion = (file: string) => readFileSync(`runtime/companion/${file}`, 'utf8');

test('canaries are planted in all encodings that a scan looks for', () => {
  const forms = [...companion('Canaries.cs').matchAll(/^ {8}\("([^"]+)", \d, CanaryForms\./gm)].map(([, name]) => name);
  expect(forms).toEqual([...CANARY_ENCODINGS]);
});

test('what only a start reads gets no placeholder', () => {
  const text = companion('StartOnly.cs');
  const listed = (name: string) =>
    [...new RegExp(`${name} =\\s*\\[([^\\]]*)\\]`).exec(text)![1]!.matchAll(/"([^"]+)"/g)].map(([, item]) => item!);
  const names = [...listed('s_prefixes').map((prefix) => `${prefix}X_SECRET`), ...listed('s_names')];
  expect(names.length).toBeGreaterThan(8);
  const env = Object.fromEntries(names.map((name) => [name, 'postgres://app:kQ8x!vT2mZ@db/shop']));
  expect(variablesAtBuild('placeholder', env, silentLog).names).toEqual([]);
});
