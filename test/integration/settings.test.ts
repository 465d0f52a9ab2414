import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { type Clone, Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

const project = 'test/integration/apps/settings';
const image = 'dotnet-snapshot-test/settings:restore-ready';
const clones = new Clones();
afterEach(() => clones.remove());

const build = (...flags: string[]) =>
  cli([
    'build',
    ...['--project', project, '--traffic', `${project}/traffic.yaml`, '--name', 'settings', ...flags],
    ...['--clones', '1', '--pairs', '1', '--warmup-timeout', '2', '--output', newFolder()],
    ...['--env', 'Followed=build', '--env', 'EACH=build', '--may-differ', 'ZONE', '--may-differ', 'Feature:*'],
  ]);

let built: Awaited<ReturnType<typeof cli>>;
beforeAll(async () => {
  built = await build('--tag', image, '--production-env', 'Followed=production', '--production-env', 'PORT=9090');
});
afterAll(() => docker(['image', 'rm', '--force', image, 'dotnet-snapshot/settings:app'], { mayFail: true }));

/** A folder that any user can read, with one file in it. */
function folderWith(file: string, content: string): string {
  const folder = join(newFolder(), 'mounted');
  mkdirSync(folder);
  writeFileSync(join(folder, file), content);
  chmodSync(folder, 0o755);
  return folder;
}

const mount = (file: string, content: string, target: string) => [
  '--volume',
  `${folderWith(file, content)}:${target}:ro`,
];

async function startedBy(clone: Clone): Promise<string> {
  return (await clone.logs()).stderr.match(/(restored in|DS\d{4} .*); starting normally|restored in/)?.[0] ?? '';
}

test('the build says which settings make production start normally', () => {
  expect(built.stderr).not.toMatch(/^DS\d{4}/m);
  expect(built.stderr).toMatch(/is started normally: .*REGION.*WORKERS.*ConnectionStrings:Db.*Limits:.*PORT.*Title/);
  expect(built.code).toBe(0);
});

test('the build compares with production, and says where nothing will be restored', () => {
  expect(built.stderr).toMatch(/warning: With production-env no container is restored: DS5005 PORT differs/);
  expect(built.stderr).toContain('with production-env (Followed, PORT) it answers as the app does');
});

test('a setting of production that a clone does not follow, and that can’t be seen, fails the build by its name', async () => {
  const other = 'dotnet-snapshot-test/settings-hidden:restore-ready';
  const { code, stderr } = await build(
    ...['--tag', other, '--production-env', 'Followed=production', '--production-env', 'HIDDEN=production'],
  );
  expect(stderr).toContain(
    'DS5013: With production-env a clone is not what the app is when it starts normally: HIDDEN differs.\n' +
      '  | hidden (GET /hidden): body was production, is none',
  );
  expect(code).toBe(5);
  expect((await docker(['image', 'inspect', other], { mayFail: true })).code).not.toBe(0);
});

describe('a clone follows', () => {
  test.each([
    ['what handlers read of the environment', { env: { EACH: 'production' } }, { each: 'production' }],
    [
      'the configuration of every host',
      { env: { Followed: 'production' } },
      { followed: 'production', ofSecond: 'production', ofScope: 'production' },
    ],
    [
      'configurations of the app’s own: in a variable, a field and a static field',
      { env: { OWN_Name: 'production' } },
      { own: 'production', ofField: 'production', ofStatic: 'production' },
    ],
    [
      'a folder of secrets that only production has',
      { flags: () => mount('Api__Key', 'told', '/run/secrets') },
      { secret: 'told' },
    ],
    [
      'a file of settings that only production has',
      { flags: () => mount('extra.json', '{"Extra":"told"}', '/config') },
      { extra: 'told' },
    ],
    [
      'a platform that adds variables of its own',
      { env: { KUBERNETES_SERVICE_HOST: '10.0.0.1', DOTNET_SHOP_SERVICE_HOST: '10.0.0.2', AWS_EXECUTION_ENV: 'ECS' } },
      {},
    ],
    ['a port that is told and is the one it has', { env: { PORT: '8080' } }, {}],
    ['what may differ', { env: { ZONE: 'a', Feature__On: 'yes' } }, { zone: 'build', feature: 'none' }],
  ])('%s', async (_, { env, flags }: { env?: Record<string, string>; flags?: () => string[] }, seen) => {
    const clone = await clones.ready(
      await clones.start(image, {
        env: { DOTNET_SNAPSHOT: 'require', ...(env as Record<string, string>) },
        flags: flags?.() ?? [],
      }),
    );
    expect(await clone.get('/seen')).toMatchObject(seen);
  });
});

describe('a container is started normally, and says why, where production has another', () => {
  test.each<[string, Record<string, string>, string, Record<string, unknown>]>([
    ['variable that a number was made of', { WORKERS: '3' }, 'WORKERS', { workers: 3 }],
    ['variable that another method reads', { REGION: 'eu' }, 'REGION', { region: 'eu' }],
    ['variable of a library', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x' }, 'OTEL_EXPORTER_OTLP_ENDPOINT', {}],
    ['language', { LANG: 'de_DE.UTF-8' }, 'LANG', {}],
    ['folder of certificates', { SSL_CERT_DIR: '/certificates' }, 'SSL_CERT_DIR', {}],
    ['key that the start has kept', { Title: 'shop' }, 'Title of the configuration', { title: 'shop' }],
    [
      'key of a section that the start has bound',
      { Limits__Most: '4' },
      'Limits:Most of the configuration',
      { most: 4 },
    ],
    [
      'key that options were set up with',
      { Jwt__Key: 'of-production' },
      'Jwt:Key of the configuration',
      { key: 'of-production' },
    ],
    [
      'connection string that a closure has kept',
      { ConnectionStrings__Db: 'Server=production' },
      'ConnectionStrings:Db of the configuration',
      { connection: 'Server=production' },
    ],
    [
      'endpoint of the server',
      { Kestrel__Endpoints__Main__Url: 'http://*:8080' },
      'Kestrel:Endpoints:Main:Url of the configuration',
      {},
    ],
  ])('%s', async (_, env, name, seen) => {
    const clone = await clones.ready(await clones.start(image, { env }));
    expect(await clone.get('/seen')).toMatchObject(seen);
    expect(await startedBy(clone)).toMatch(
      new RegExp(`^DS5005 ${name} differs from the build, and .*; starting normally$`),
    );
  });

  test('port, and listens there', async () => {
    const elsewhere = new Clones(9090);
    const clone = await elsewhere.ready(await elsewhere.start(image, { env: { PORT: '9090' } }));
    expect(await startedBy(clone)).toContain('DS5005 PORT differs from the build');
    await elsewhere.remove();
  });

  test('folder of static files', async () => {
    const flags = mount('a.txt', 'static', '/app/wwwroot');
    const clone = await clones.ready(await clones.start(image, { flags }));
    expect(await (await fetch(`${clone.origin}/a.txt`)).text()).toBe('static');
    expect(await startedBy(clone)).toContain('/app/wwwroot was not there at the build');
  });

  test('file that the start looks for', async () => {
    const flags = mount('license.txt', 'licensed', '/license');
    const clone = await clones.ready(await clones.start(image, { flags }));
    expect(await clone.get('/seen')).toMatchObject({ licensed: true });
    expect(await startedBy(clone)).toContain('/license/license.txt was not there at the build');
  });
});

test('work that became due while the snapshot was kept is done once, right after the restore', async () => {
  // It was due 40 s after the app's start at the build.
  const { createdAt } = JSON.parse(
    (await docker(['run', '--rm', '--entrypoint', 'cat', image, '/opt/dotnet-snapshot/manifest.json'])).stdout,
  ) as { createdAt: string };
  await sleep(Math.max(0, Date.parse(createdAt) + 41_000 - Date.now()));
  const clone = await clones.ready(await clones.start(image, { env: { DOTNET_SNAPSHOT: 'require' } }));
  const restored = Date.now();
  await sleep(1000);
  const renewed = await clone.get<number[]>('/renewed');
  expect(renewed).toHaveLength(1);
  expect(Math.abs(renewed[0]! - restored)).toBeLessThan(1000);
});
