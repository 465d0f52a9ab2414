import { expect, test } from 'vitest';
import { cacheKey } from '../../src/cachekey.ts';
import { readInputs } from '../../src/inputs.ts';
import type { OptionName } from '../../src/options.ts';

const app = {
  app: { id: 'sha256:1' },
  runtime: { reference: 'dotnet-snapshot/runtime:1' },
  traffic: { digest: 'sha256:2' },
} as never;
const keyOf = (options: Partial<Record<OptionName, string>>) => {
  const all: Partial<Record<OptionName, string>> = { image: 'shop', traffic: 't', ...options };
  return cacheKey(
    readInputs((name) => all[name]),
    app,
    'machine',
  );
};

test.each<Partial<Record<OptionName, string>>>([
  { 'checkpoint-at': 'ready' },
  { 'before-checkpoint-path': '/drain' },
  { 'after-restore-path': '/join' },
  { 'hook-timeout': '20' },
  { 'may-differ': 'MARK' },
  { timers: 'continue' },
  { isa: 'x86-64-v2' },
  { env: 'A=1' },
  { host: 'shop.example.com' },
  { ready: 'port' },
  { 'warmup-command': 'work' },
])('%j makes another snapshot', (options) => {
  expect(keyOf(options)).not.toBe(keyOf({}));
});

test.each<Partial<Record<OptionName, string>>>([{ clones: '20' }, { output: 'out' }, { tag: 'x' }, { secrets: 'A=b' }])(
  '%j makes the same',
  (options) => {
    expect(keyOf(options)).toBe(keyOf({}));
  },
);
