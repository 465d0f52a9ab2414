import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { type Clone, Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

// Ids of known libraries in clones, what a process has of its own, and what the warmup left in queues.

const project = 'test/integration/apps/identities';
const image = 'dotnet-snapshot-test/identities:restore-ready';
const clones = new Clones();
/** What the app's exporters have sent, each with its time. */
const exported: { at: number; body: string }[] = [];
let collector: Server;
let collectorUrl: string;
let built: { code: number; stderr: string };
let [one, other]: Clone[] = [];

const build = (...flags: string[]) =>
  cli([
    'build',
    ...['--traffic', `${project}/traffic.yaml`, '--output', newFolder(), '--pairs', '1', '--clones', '2'],
    ...['--warmup-timeout', '1', '--env', `COLLECTOR=${collectorUrl}`, ...flags],
  ]);

beforeAll(async () => {
  collector = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString('latin1');
    exported.push({ at: Date.now(), body });
    response.end();
  });
  const gateway = await docker(['network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}']);
  await once(collector.listen(0, gateway.stdout.trim()), 'listening');
  const { address, port } = collector.address() as AddressInfo;
  collectorUrl = `http://${address}:${port}/`;
  built = await build('--project', project, '--name', 'identities-test', '--tag', image);
});
afterAll(async () => {
  await clones.remove();
  await docker(['image', 'rm', '--force', image, 'dotnet-snapshot/identities-test:app'], { mayFail: true });
  collector.close();
});

test('what a process has of its own, and known libraries make, is no error', () => {
  expect(built.stderr).not.toMatch(/DS\d{4}|warning: .*(queue|in common)/);
  expect(built.code).toBe(0);
});

const OTHER_REQUESTS = 5;
/** Of the ids that a clone makes first, what must be another in each clone whatever the time is. */
const own: [string, (id: string) => string][] = [
  ['ObjectId', (id) => id.slice(8, 18)],
  ['AscendingGuid', (id) => id.slice(-17)],
  ['NewId', (id) => id],
  ['Ulid', (id) => id.slice(10)],
  ['NUlid', (id) => id.slice(10)],
  ['UUIDNext', (id) => id.slice(20)],
  ['Guid7', (id) => id.slice(20)],
  ['CAP', (id) => id],
  ['HiLo', (id) => id],
  ['Dice', (id) => id],
];

test('two clones that are asked in the same order make ids of their own', async () => {
  const start = async () => clones.ready(await clones.start(image, { env: { DOTNET_SNAPSHOT: 'require' } }));
  const restoredAt = Date.now();
  [one, other] = [await start(), await start()];
  const made = await Promise.all(
    [one!, other!].map(async ({ origin }) => {
      const ids: Record<string, unknown>[] = [];
      for (let n = 0; n < OTHER_REQUESTS; n++)
        ids.push((await (await fetch(`${origin}/made`, { method: 'POST' })).json()) as Record<string, unknown>);
      return ids;
    }),
  );
  for (const [kind, part] of own) {
    const parts = made.map((ids) => ids.map((id) => part(String(id[kind]))));
    expect(
      parts[0]!.filter((text) => parts[1]!.includes(text)),
      kind,
    ).toEqual([]);
  }
  // Beyond the delay of the exporters (5 s): nothing but what was asked since the restore is sent.
  await sleep(6000);
  const text = exported
    .filter(({ at }) => at >= restoredAt)
    .map(({ body }) => body)
    .join('');
  expect(text).toContain('POST /made');
  expect(text).not.toMatch(/\/surroundings|\/mail/);
  // Each request is told of in its span and in two records of the log.
  expect(text.match(/POST \/made/g)!.length).toBeLessThanOrEqual(3 * 2 * OTHER_REQUESTS);
});

test('telemetry names the clone and its machine', async () => {
  const [a, b] = await Promise.all([one!, other!].map((clone) => clone.get<Record<string, string>>('/resource')));
  expect(a!['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(a!['service.instance.id']).not.toBe(b!['service.instance.id']);
  expect([a!['host.name'], b!['host.name']]).toEqual([one!, other!].map(({ container }) => container.slice(0, 12)));
});

test('the number of a worker that was drawn once fails the build, and what waits in a channel is told', async () => {
  const { code, stderr } = await build(
    ...['--image', 'dotnet-snapshot/identities-test:app', '--name', 'identities-carried'],
    ...['--env', 'CARRIED=yes', '--env', 'MAIL=yes'],
  );
  expect(stderr).toMatch(/warning: \d+ of Identities\.Mail in a channel: the warmup left this/);
  expect(stderr).toMatch(
    /DS5004: Clones make a value alike, from something that the snapshot holds\.\n.*\$\.Carried of POST \/made \(a number as of a Snowflake\): equal in part in \d+ clones/,
  );
  expect(code).toBe(5);
});
