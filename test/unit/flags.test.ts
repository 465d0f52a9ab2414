import { expect, test } from 'vitest';
import {
  configOf,
  describeBuildFlags,
  parseBuildFlags,
  parseFlags,
  readFrom,
  WARM_OPTIONS,
} from '../../src/commands/flags.ts';
import { commands } from '../../src/commands/index.ts';
import { OPTIONS } from '../../src/options.ts';

test('build takes every option, lists as often as they are given', () => {
  const inputs = parseBuildFlags(['--image', 'x', '--traffic', 't', '--env', 'A=1', '--env', 'B=2', '--clones', '7']);
  expect(inputs).toMatchObject({ trafficFile: 't', env: { A: '1', B: '2' }, clones: 7 });
  for (const name of Object.keys(OPTIONS)) expect(describeBuildFlags()).toContain(`  --${name} `);
});

test('warm takes what concerns the running app, and nothing of what comes later', () => {
  expect(WARM_OPTIONS).toEqual(expect.arrayContaining(['project', 'traffic', 'env', 'after-restore-path']));
  expect(() => parseFlags(['--clones', '3'], configOf(WARM_OPTIONS))).toThrow(/--clones/);
  expect(commands.warm.help).not.toContain('--clones');
});

test('a flag that was not given is no option', () => {
  const { values } = parseFlags(['--traffic', 't'], configOf(['traffic', 'secrets']));
  const read = readFrom(values);
  expect([read('traffic'), read('secrets')]).toEqual(['t', undefined]);
});
