import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { containerArguments, productionSpec } from '../../src/engine/container.ts';
import { addressOf, cli, docker } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';
import { type Postgres, startPostgres } from '../harness/postgres.ts';

// verify waits for /healthz, which asks the database: a dead connection would be used up there. Nothing waits here.
const name = 'first-request-test';
const image = `dotnet-snapshot-test/${name}:restore-ready`;
const containers: string[] = [];
let postgres: Postgres;

/** What only production knows: the build has a placeholder for the password. */
let production: string;

beforeAll(async () => {
  postgres = await startPostgres();
  const connection = `Host=${postgres.host};Port=${postgres.port};Username=app;Password=placeholder;Database=todos`;
  const password = randomBytes(12).toString('hex');
  production = connection.replace('placeholder', password);
  const { code, stderr } = await cli([
    'build',
    ...['--project', 'samples/todo-api', '--traffic', 'samples/todo-api/traffic.yaml', '--ready-path', '/healthz'],
    ...['--env', 'Database=postgres', '--env', `ConnectionStrings__Todos=${connection}`, '--name', name],
    ...['--tag', image, '--output', newFolder(), '--pairs', '1', '--warmup-timeout', '1'],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  postgres.requirePassword(password);
});
afterAll(async () => {
  if (containers.length > 0) await docker(['rm', '--force', ...containers]);
  await docker(['image', 'rm', '--force', image, `dotnet-snapshot/${name}:app`], { mayFail: true });
  postgres?.stop();
});

test.each([1, 2, 3])(
  'the very first request to clone %i reaches the database, by the password of its own environment',
  async () => {
    const env = { DOTNET_SNAPSHOT: 'require', Database: 'postgres', ConnectionStrings__Todos: production };
    const spec = { ...productionSpec(image), env };
    const container = (await docker(['run', '--detach', ...containerArguments(spec)])).stdout.trim();
    containers.push(container);
    let log = '';
    for (let tries = 0; tries < 600 && !log.includes('restored in'); tries++) {
      await sleep(50);
      log = (await docker(['logs', container])).stderr;
    }
    expect(log).toMatch(/restored in \d+ ms/);
    const answer = await fetch(`http://${await addressOf(container)}:8080/todos`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ page: 1, size: 20 });
    expect((await docker(['exec', container, 'id', '-u'])).stdout.trim()).toBe('1654');
  },
);
