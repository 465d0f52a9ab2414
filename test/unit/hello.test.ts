import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explainSilence } from '../../src/checkpoint/hello.ts';
import { requireHooks, requireHooksPublished } from '../../src/publish/loads.ts';
import { newFolder } from '../harness/folder.ts';

const none = { PublishAot: '', PublishTrimmed: '', StartupHookSupport: '' };

describe('before anything is built', () => {
  test.each([
    ['net7.0', {}, /\.NET 8 or newer/],
    ['netcoreapp3.1', {}, /\.NET 8 or newer/],
    ['net10.0', { PublishAot: 'true', PublishTrimmed: 'true' }, /NativeAOT/],
    ['net10.0', { PublishTrimmed: 'True' }, /trimmed/],
    ['net10.0', { StartupHookSupport: 'false' }, /StartupHookSupport/],
  ])('%s with %j is refused', (framework, properties, message) => {
    expect(() => requireHooks('A.csproj', framework, { ...none, ...properties })).toThrow(
      expect.objectContaining({ code: 'DS3012', message: expect.stringMatching(message) }),
    );
  });

  test.each([
    ['net8.0', {}],
    ['net10.0-linux', { PublishAot: 'false' }],
    ['net10.0', { PublishTrimmed: 'true', StartupHookSupport: 'true' }],
  ])('%s with %j passes', (framework, properties) => {
    expect(() => requireHooks('A.csproj', framework, { ...none, ...properties })).not.toThrow();
  });

  test('the published settings of the runtime are read', async () => {
    const folder = newFolder();
    mkdirSync(folder, { recursive: true });
    const settings = (value: boolean) =>
      JSON.stringify({ runtimeOptions: { configProperties: { 'System.StartupHookProvider.IsSupported': value } } });
    writeFileSync(join(folder, 'Off.runtimeconfig.json'), settings(false));
    writeFileSync(join(folder, 'On.runtimeconfig.json'), settings(true));
    await expect(requireHooksPublished(folder, 'Off')).rejects.toMatchObject({ code: 'DS3012' });
    await requireHooksPublished(folder, 'On');
    await requireHooksPublished(folder, 'Single');
  });
});

test.each([
  [
    'cleared variables',
    'variable DOTNET_STARTUP_HOOKS\nprocess 64 1 A dotnet',
    'file 1 2 ab /x/libcoreclr.so',
    /clears/,
  ],
  ['hooks switched off', 'process 64 1 A dotnet', 'file 1 2 ab /x/libcoreclr.so', /loads no startup hooks/],
  [
    'a companion that is held',
    'process 64 1 A dotnet',
    'file 1 2 ab /x/libcoreclr.so\nfile 1 2 cd /y/DotnetSnapshot.Companion.dll',
    /is loaded in dotnet \(PID 64\)/,
  ],
  ['a child without it', 'process 64 1 A sh\nprocess 70 64 S dotnet', '', /started dotnet \(PID 70\)/],
  ['another language', 'process 64 1 A python3', 'file 1 2 ab /usr/bin/python3', /python3 \(PID 64\) has no \.NET/],
])('a silent companion is explained: %s', (_, processes, files, message) => {
  expect(explainSilence({ processes, files }, 'log')).toMatchObject({
    code: 'DS3012',
    message: expect.stringMatching(message),
  });
});
