import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli, docker, type Finished } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';
import { type Postgres, startPostgres } from '../harness/postgres.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const image = 'dotnet-snapshot-test/todo-postgres:restore-ready';

async function buildWith(password: string, output: string): Promise<Finished> {
  const connection = `Host=${postgres.host};Port=${postgres.port};Username=app;Password=${password};Database=todos`;
  return cli([
    'build',
    ...['--project', 'samples/todo-api', '--traffic', 'samples/todo-api/traffic.yaml', '--ready-path', '/healthz'],
    ...['--env', 'Database=postgres', '--env', `ConnectionStrings__Todos=${connection}`],
    ...['--secrets-at-build', 'real'],
    ...['--tag', image, '--name', 'todo-postgres', '--output', output, '--pairs', '1', '--warmup-timeout', '5'],
  ]);
}

test('a real password in the environment blocks, and is nowhere in what is written', async () => {
  const password = randomBytes(18).toString('base64url');
  const output = newFolder();
  // An earlier run of the tests may have left it.
  await docker(['image', 'rm', '--force', image], { mayFail: true });
  const { code, stdout, stderr } = await buildWith(password, output);
  expect(stderr).toContain('DS4001');
  expect(code).toBe(4);
  const written = readdirSync(output, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  for (const text of [Buffer.from(stdout), Buffer.from(stderr), ...written])
    for (const encoding of ['utf8', 'utf16le', 'base64'] as const)
      expect(
        text.includes(
          encoding === 'base64' ? Buffer.from(password).toString('base64') : Buffer.from(password, encoding),
        ),
      ).toBe(false);
  expect(readdirSync(output).sort()).toEqual(['scan.json', 'scan.sarif']);
  expect((await docker(['image', 'inspect', image], { mayFail: true })).code).not.toBe(0);
});

test('with a placeholder it restores, and the traffic after the restore reaches the database', async () => {
  const { code, stderr } = await buildWith('placeholder', newFolder());
  expect(stderr).not.toContain('DS');
  // Left as they were, dead connections would answer with a 500; first-request.test.ts asks without a probe before.
  expect(stderr).toContain('emptied connection pools: Npgsql');
  expect(stderr).toContain('259 answers as before the checkpoint');
  expect(code).toBe(0);
});
