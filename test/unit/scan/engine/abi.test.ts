import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../../../src/root.ts';
import * as abi from '../../../../src/scan/engine/abi.ts';

const source = readFileSync(join(PROJECT_ROOT, 'wasm/abi.ts'), 'utf8');
const declared = [...source.matchAll(/^export const (\w+): (?:u32|usize) = ([\dxa-f* ]+);$/gm)];

test('the first pass and its host agree', () => {
  const values = declared.map(([, name, value = '']) => [
    name,
    value.split('*').reduce((product, factor) => product * Number(factor), 1),
  ]);
  expect(Object.fromEntries(values)).toEqual({ ...abi });
  expect(values).toHaveLength(source.match(/^export /gm)!.length);
});

test('fields of a frame are words of their own, and fill it', () => {
  const names = declared.map(([, name = '']) => name);
  const values = new Map(Object.entries(abi));
  const offsets = names.slice(names.indexOf('TEXT')).map((name) => values.get(name));
  expect(offsets).toEqual(Array.from({ length: abi.FRAME / 4 }, (_, index) => index * 4));
});
