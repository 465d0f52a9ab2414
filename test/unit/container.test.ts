import { expect, test } from 'vitest';
import { containerArguments, productionSpec } from '../../src/engine/container.ts';
import type { AppImage } from '../../src/model/index.ts';
import { warmSpec } from '../../src/warmup/container.ts';

const app: AppImage = {
  reference: 'app',
  id: 'sha256:1',
  command: ['dotnet', 'App.dll'],
  user: '1654',
  workingDirectory: '/app',
  env: {},
  baseImage: 'base',
  size: 1,
};
const paths = { launcher: '/l', companion: '/c.dll', checkpoint: '/c' };
const options = {
  readyPath: '/healthz?full',
  isa: 'native' as const,
  env: {},
  publish: { host: 1, container: 8080 },
  hookSeconds: 10,
  mayDiffer: ['MARK', 'Section:Key'],
  timers: 'catch-up' as const,
  places: { writable: [], mounts: [] },
};

test('production has no capability, no way to gain one, a root that can’t be written, and no profile of ours', () => {
  expect(containerArguments(productionSpec('image'))).toEqual([
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    ...['--read-only', '--tmpfs', '/tmp', 'image'],
  ]);
});

test('the warming container is never privileged and runs as the app’s user', () => {
  const words = containerArguments(warmSpec('image', app, options, paths)).join(' ');
  expect(words).toContain('--user 1654 --cap-drop ALL --cap-add CHECKPOINT_RESTORE --cap-add SYS_PTRACE');
  expect(words).not.toMatch(/privileged(?!$)(?! )|SYS_ADMIN/);
});

const places = {
  writable: ['/data'],
  mounts: [{ source: '/etc/shop', target: '/config', readOnly: true }],
};

test('the warming container may write where production may, and to the folder of its checkpoint', () => {
  const words = containerArguments(warmSpec('image', app, { ...options, places }, paths)).join(' ');
  const same = '--read-only --tmpfs /tmp --tmpfs /data:exec --volume /etc/shop:/config:ro';
  expect(words).toContain(`${same} --volume /c`);
  expect(containerArguments(productionSpec('image', places)).join(' ')).toContain(same);
});

test('a root that can be written to in production can be at the build', () => {
  const everywhere = { ...places, writable: ['/'] };
  for (const spec of [
    warmSpec('image', app, { ...options, places: everywhere }, paths),
    productionSpec('i', everywhere),
  ])
    expect(containerArguments(spec).join(' ')).not.toMatch(/--read-only|--tmpfs/);
});

test('an app’s own startup hooks are kept behind the companion', () => {
  const withHooks = { ...app, env: { DOTNET_STARTUP_HOOKS: '/apm.dll' } };
  expect(warmSpec('image', withHooks, options, paths).env).toMatchObject({
    DOTNET_STARTUP_HOOKS: '/c.dll:/apm.dll',
    DOTNET_SNAPSHOT_APP_HOOKS: '/apm.dll',
  });
});

test('the user’s variables can’t unhook the companion but may change the rest', () => {
  const env = { DOTNET_SNAPSHOT_CONTROL: '1,2', DOTNET_TC_CallCountingDelayMs: '100' };
  expect(warmSpec('image', app, { ...options, env }, paths).env).toMatchObject({
    DOTNET_SNAPSHOT_CONTROL: '900,901',
    DOTNET_TC_CallCountingDelayMs: '100',
  });
});

test('the companion is told how long hooks may take, and only of paths that were given', () => {
  const { env } = warmSpec('image', app, options, paths);
  expect(env).toMatchObject({ DOTNET_SNAPSHOT_HOOK_SECONDS: '10', DOTNET_SNAPSHOT_READY_PATH: '/healthz' });
  expect(env).not.toHaveProperty('DOTNET_SNAPSHOT_BEFORE_URL');
  expect(env).not.toHaveProperty('DOTNET_SNAPSHOT_AFTER_URL');
});

test('the companion is told which settings may differ, what timers do, and where the app listens', () => {
  expect(warmSpec('image', app, { ...options, secretVariables: ['API_KEY'] }, paths).env).toMatchObject({
    DOTNET_SNAPSHOT_SECRETS: 'API_KEY',
    DOTNET_SNAPSHOT_MAY_DIFFER: 'MARK\nSection:Key',
    DOTNET_SNAPSHOT_TIMERS: 'catch-up',
    DOTNET_SNAPSHOT_PORT: '8080',
  });
});

test('paths for hooks become addresses inside the container, whatever the user’s variables say', () => {
  const withPaths = {
    ...options,
    env: { DOTNET_SNAPSHOT_BEFORE_URL: 'http://elsewhere/' },
    beforeCheckpointPath: '/drain',
    afterRestorePath: '/join',
  };
  expect(warmSpec('image', app, withPaths, paths).env).toMatchObject({
    DOTNET_SNAPSHOT_BEFORE_URL: 'http://127.0.0.1:8080/drain',
    DOTNET_SNAPSHOT_AFTER_URL: 'http://127.0.0.1:8080/join',
  });
});

test('a container can have a name', () => {
  expect(containerArguments({ image: 'i', name: 'shop' })).toEqual(['--name', 'shop', 'i']);
});

test('a value with spaces or quotes stays one argument', () => {
  const words = containerArguments({ image: 'i', env: { A: 'x "y" $(z)' } });
  expect(words).toEqual(['--env', 'A=x "y" $(z)', 'i']);
});
