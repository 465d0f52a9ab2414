import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/model/index.ts';
import { cli, docker } from '../harness/cli.ts';
import { Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';
import { type Postgres, startPostgres } from '../harness/postgres.ts';
import { copiesOf, filesIn } from '../harness/snapshot-bytes.ts';

const clones = new Clones();
afterEach(() => clones.remove());
const images: string[] = [];
afterAll(async () => {
  await docker(['image', 'rm', '--force', ...images], { mayFail: true });
});

/** Builds an image, and returns its tag, what was logged, and the folder with the snapshot. */
async function build(name: string, flags: string[]): Promise<{ image: string; stderr: string; snapshot: string }> {
  const image = `dotnet-snapshot-test/${name}:restore-ready`;
  images.push(image, `dotnet-snapshot/${name}:app`);
  const output = newFolder();
  const common = ['--name', name, '--tag', image, '--output', output, '--pairs', '1', '--warmup-timeout', '2'];
  const { code, stderr } = await cli(['build', ...common, ...flags]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  return { image, stderr, snapshot: join(output, 'snapshot') };
}

const manifestOf = (snapshot: string) => JSON.parse(readFileSync(join(snapshot, 'manifest.json'), 'utf8')) as Manifest;

describe('scrub, which is what happens to secrets where nothing is said: an app that needs its database while it is warmed', () => {
  const [atBuild, inProduction] = [randomBytes(12).toString('hex'), `${randomBytes(9).toString('base64url')}+ä`];
  let postgres: Postgres;
  let built: Awaited<ReturnType<typeof build>>;
  const connection = (password: string) =>
    `Host=${postgres.host};Port=${postgres.port};Username=app;Password=${password};Database=todos`;
  const env = (password: string) => ({ Database: 'postgres', ConnectionStrings__Todos: connection(password) });

  beforeAll(async () => {
    postgres = await startPostgres();
    postgres.requirePassword(atBuild);
    built = await build('scrubbed', [
      ...['--project', 'samples/todo-api', '--traffic', 'samples/todo-api/traffic.yaml', '--ready-path', '/healthz'],
      ...Object.entries(env(atBuild)).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ]);
  });
  afterAll(() => postgres.stop());

  test('connects by its real password, of which the snapshot holds nothing', () => {
    const [, count] = /overwritten in the snapshot: (\d+) x environment ConnectionStrings__Todos \(Password\)/.exec(
      built.stderr,
    )!;
    expect(Number(count)).toBeGreaterThan(2);
    expect(copiesOf(atBuild, filesIn(built.snapshot))).toBe(0);
    expect(manifestOf(built.snapshot).scan).toMatchObject({ verdict: 'clean' });
    expect(manifestOf(built.snapshot).placeholders).toBeUndefined();
  });

  test('connects by production’s password once it is restored', async () => {
    postgres.requirePassword(inProduction);
    const clone = await clones.start(built.image, { env: { DOTNET_SNAPSHOT: 'require', ...env(inProduction) } });
    await clones.ready(clone);
    expect(await clone.get('/todos')).toMatchObject({ page: 1, size: 20 });
    expect((await clone.logs()).stderr).toContain('restored in');
  });
});

describe('placeholder: an app that only looks at its keys', () => {
  const keys = () => ({
    Jwt__SigningKey: randomBytes(32).toString('base64'),
    Payments__ApiKey: `sk_live_${randomBytes(18).toString('hex')}`,
  });
  const [atBuild, inProduction] = [keys(), keys()];
  let built: Awaited<ReturnType<typeof build>>;

  beforeAll(async () => {
    const traffic = join(newFolder(), 'traffic.yaml');
    writeFileSync(traffic, 'version: 1\nrequests:\n  - path: /\n    repeat: 20\n');
    built = await build('placeholders', [
      ...['--project', 'test/integration/apps/leftovers/Leftovers.csproj', '--framework', 'net10.0'],
      ...['--traffic', traffic, '--secrets-at-build', 'placeholder'],
      ...Object.entries(atBuild).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ]);
  });

  test('is warmed with others of the same form, which the manifest tells', () => {
    expect(built.stderr).toContain('warmed with placeholders in Jwt__SigningKey, Payments__ApiKey');
    const files = filesIn(built.snapshot);
    for (const value of Object.values(atBuild)) expect(copiesOf(value, files)).toBe(0);
    const { placeholders, scan } = manifestOf(built.snapshot);
    expect(scan).toMatchObject({ verdict: 'clean' });
    const signing = placeholders!.find((text) => text.endsWith('='))!;
    expect(Buffer.from(signing, 'base64')).toHaveLength(32);
    expect(placeholders!.some((text) => /^sk_live_[0-9a-z]{36}$/.test(text))).toBe(true);
    // The fakes were there: the test looks in the right place.
    expect(copiesOf(signing, files)).toBeGreaterThan(1);
  });

  test('has production’s keys once it is restored', async () => {
    const clone = await clones.start(built.image, { env: { DOTNET_SNAPSHOT: 'require', ...inProduction } });
    await clones.ready(clone);
    expect(await clone.get('/keys')).toEqual({
      signing: inProduction.Jwt__SigningKey,
      payments: inProduction.Payments__ApiKey,
    });
  });
});
