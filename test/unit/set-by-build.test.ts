import { expect, test } from 'vitest';
import { setByBuild } from '../../src/warmup/container.ts';

test('what the build set is named, without the user’s own variables', () => {
  const own = { Shop__Key: 'a', DOTNET_gcServer: '0' };
  const all = { ...own, LD_BIND_NOW: '1', DOTNET_SNAPSHOT_PORT: '8080', DOTNET_STARTUP_HOOKS: '/c.dll' };
  expect(setByBuild(all, own)).toEqual(['DOTNET_STARTUP_HOOKS', 'LD_BIND_NOW']);
});
