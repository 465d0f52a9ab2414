import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { type Clone, Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

const project = 'test/integration/apps/clones';
const clones = new Clones();
afterEach(() => clones.remove());

/** How far behind a clock can be: no clock may be negative. */
const behind = -Math.min(4000, Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])) - 60);

/** What the app asks over a connection that it keeps. */
let upstream: Server;
let upstreamUrl: string;
beforeAll(async () => {
  upstream = createServer((_, response) => response.end('upstream'));
  const gateway = await docker(['network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}']);
  await once(upstream.listen(0, gateway.stdout.trim()), 'listening');
  const { address, port } = upstream.address() as AddressInfo;
  upstreamUrl = `http://${address}:${port}/`;
});
afterAll(() => upstream.close());

interface Surroundings {
  mark: string;
  onlyAtBuild: string | null;
  configured: string;
  option: string;
  fromArgument: string | null;
  changes: number;
  host: string;
  zone: number;
  isRestored: boolean;
  id: string;
  hookPaths: number;
}

const images = new Map<string, Promise<string>>();
afterAll(async () => {
  const tags = [...images.keys()].map((framework) => `dotnet-snapshot/clones-${framework}:app`);
  await docker(['image', 'rm', '--force', ...(await Promise.all(images.values())), ...tags], { mayFail: true });
});

/** The image of the app for a framework, built once. */
function imageFor(framework: string, flags: string[] = []): Promise<string> {
  const image = images.get(framework) ?? build(framework, flags);
  images.set(framework, image);
  return image;
}

/** One TLS connection with a request, which offers a session; resolves to the session that the server gave. */
async function handshake(clone: Clone, session?: Buffer): Promise<{ session?: Buffer; resumed: boolean }> {
  const { hostname: host } = new URL(clone.origin);
  const socket = connect({ host, port: 8443, rejectUnauthorized: false, ...(session && { session }) });
  let given: Buffer | undefined;
  socket.on('session', (ticket) => {
    given = ticket;
  });
  await once(socket, 'secureConnect');
  const resumed = socket.isSessionReused();
  socket.write('GET / HTTP/1.1\r\nHost: clones\r\nConnection: close\r\n\r\n');
  expect(String(Buffer.concat(await socket.toArray()))).toMatch(/^HTTP\/1\.1 200 OK/);
  return { resumed, ...(given && { session: given }) };
}

async function build(framework: string, flags: string[]): Promise<string> {
  const image = `dotnet-snapshot-test/clones-${framework}:restore-ready`;
  const { code, stderr } = await cli([
    'build',
    ...['--project', `${project}/Clones.csproj`, '--framework', framework, '--traffic', `${project}/traffic.yaml`],
    ...['--tag', image, '--name', `clones-${framework}`, '--output', newFolder(), '--pairs', '1'],
    ...['--warmup-timeout', '3', '--before-checkpoint-path', '/before', '--after-restore-path', '/after'],
    ...[
      '--hook-timeout',
      '2',
      '--env',
      'MARK=build',
      '--env',
      `UPSTREAM=${upstreamUrl}`,
      '--env',
      'ONLY_AT_BUILD=yes',
      '--base-image',
      'mcr.microsoft.com/dotnet/aspnet:10.0',
      ...flags,
    ],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  return image;
}

test('answers of the ready path, and no others, tell that the app was restored', async () => {
  const image = await imageFor('net10.0');
  const header = async (origin: string, path: string) => (await fetch(origin + path)).headers.get('dotnet-snapshot');
  const [restored, cold] = [await clones.start(image), await clones.start(image, { env: { DOTNET_SNAPSHOT: 'off' } })];
  await Promise.all([clones.ready(restored), clones.ready(cold)]);
  expect(await header(restored.origin, '/')).toBe('restored');
  // Once more after the moment in which the gate looks at every request.
  await sleep(2000);
  await header(restored.origin, '/surroundings');
  expect(await header(restored.origin, '/')).toBe('restored');
  expect(await header(restored.origin, '/surroundings')).toBeNull();
  expect(await header(cold.origin, '/')).toBeNull();
});

test('pages of a clone are mapped from its snapshot', async () => {
  const clone = await clones.start(await imageFor('net10.0'));
  await clones.ready(clone);
  const read = async (path: string) => (await docker(['exec', clone.container, 'cat', path])).stdout;
  const maps = await read('/proc/64/maps');
  expect(maps).toMatch(/ rw-p .* \/opt\/dotnet-snapshot\/pages\n/);
  // Of the launcher nothing is left but the code that the threads left it by.
  expect(maps.match(/.*bin\/launcher\n/g)?.length ?? 0).toBeLessThanOrEqual(1);
});

describe.each([
  { framework: 'net10.0', count: 20, command: 'dotnet Clones.dll', flags: [] },
  { framework: 'net9.0', count: 4, command: './Clones', flags: ['--self-contained', '--runtime=linux-x64'] },
  { framework: 'net8.0', count: 4, command: './Clones', flags: ['--self-contained', '--runtime=linux-x64'] },
])('$framework', ({ framework, count, command, flags }) => {
  let image: string;
  beforeAll(async () => {
    image = await imageFor(
      framework,
      flags.map((flag) => `--publish-args=${flag}`),
    );
  });

  test(`${count} clones differ in all that must be unique, and each has its own container's surroundings`, async () => {
    const values = new Map<string, string>();
    for (let number = 1; number <= count; number++) {
      const mark = `clone-${number}`;
      const env = { DOTNET_SNAPSHOT: 'require', MARK: mark, TZ: 'Etc/GMT-3' };
      const clone = await clones.ready(await clones.start(image, { env }));
      for (let sample = 0; sample < 3; sample++)
        for (const [kind, value] of Object.entries(await clone.get<Record<string, string>>('/values'))) {
          expect(`${values.get(`${kind} ${value}`)} ${kind}`).toBe(`undefined ${kind}`);
          values.set(`${kind} ${value}`, mark);
        }
      const surroundings = await clone.get<Surroundings>('/surroundings');
      expect(surroundings).toMatchObject({
        ...{ mark, configured: mark, option: mark, onlyAtBuild: null, zone: 3, isRestored: true, hookPaths: 3 },
        host: clone.container.slice(0, 12),
      });
      expect(surroundings.changes).toBeGreaterThan(0);
    }
    expect(values.size).toBe(count * 15);
  });

  test.each([
    ['1,000,000 s ahead', 1_000_000],
    [`${-behind} s behind`, behind],
  ])('periodic work goes on, without a burst, where the monotonic clock is %s', async (_, offset) => {
    const clone = await clones.ready(await clones.startWithClock(image, offset, command));
    const restored = await clone.get<number>('/hooks-ended');
    expect(restored).toBeGreaterThan(0);
    await sleep(restored + 1500 - Date.now());
    const ticks = await clone.get<Record<string, number[]>>('/ticks');
    expect(Object.keys(ticks).sort()).toEqual(['PeriodicTimer', 'Thread.Sleep', 'Timer']);
    for (const [kind, times] of Object.entries(ticks)) {
      const after = times.filter((time) => time > restored);
      // Every half second, so at 0.5 and 1.0 and perhaps 1.5; the first within two periods.
      expect(after[0]! - restored, kind).toBeLessThan(1050);
      expect(after.length, kind).toBeGreaterThanOrEqual(2);
      expect(after.length, kind).toBeLessThanOrEqual(4);
    }
  });
});

describe('a restored app', () => {
  let image: string;
  beforeAll(async () => {
    image = await imageFor('net10.0');
  });

  test.each(['TERM', 'INT', 'HUP'])('ends gracefully at SIG%s, with its own exit code', async (signal) => {
    const env = { DOTNET_SNAPSHOT: 'require', EXIT_CODE: '7' };
    const clone = await clones.ready(await clones.start(image, { env }));
    const { code, millis } = await clone.end(signal);
    expect(code).toBe(7);
    expect(millis).toBeLessThan(2000);
    expect((await clone.logs()).stdout).toContain('stopping');
  });

  test('writes stdout and stderr to the container’s, apart', async () => {
    const clone = await clones.ready(await clones.start(image));
    await fetch(`${clone.origin}/say`);
    const { stdout, stderr } = await clone.logs();
    expect(stdout).toContain('this is stdout');
    expect(stdout).not.toContain('this is stderr');
    expect(stderr).toContain('this is stderr');
    expect(stderr).not.toContain('this is stdout');
  });

  test('answers every one of 1,000 requests that arrive meanwhile, none before its hooks ended', async () => {
    const clone = await clones.start(image, { env: { HOOK_AFTER: 'slow' } });
    const answeredAt = await Promise.all(
      Array.from({ length: 1000 }, async () => {
        for (;;) {
          try {
            const answer = await fetch(`${clone.origin}/`);
            expect(answer.status).toBe(200);
            expect(await answer.text()).toBe('clones');
            return Date.now();
          } catch (error) {
            // Nothing listens before the restore; a connection that was accepted must be answered.
            const { code } = ((error as Error).cause ?? {}) as { code?: string };
            if (code !== 'ECONNREFUSED') throw error;
            await sleep(5);
          }
        }
      }),
    );
    const ended = await clone.get<number>('/hooks-ended');
    expect(Math.min(...answeredAt)).toBeGreaterThanOrEqual(ended);
    expect((await clone.logs()).stderr).toContain('restored in');
  });

  test('resumes no TLS session of another clone', async () => {
    const options = { env: { DOTNET_SNAPSHOT: 'require' } };
    const [one, other] = [
      await clones.ready(await clones.start(image, options)),
      await clones.ready(await clones.start(image, options)),
    ];
    const { session } = await handshake(one);
    expect((await handshake(other, session)).resumed).toBe(false);
    // Nor one of its own: its keys would be those of the image.
    expect((await handshake(one, session)).resumed).toBe(false);
  });

  test('takes no dead connection from the pool of an HttpClient', async () => {
    const env = { DOTNET_SNAPSHOT: 'require', UPSTREAM: upstreamUrl };
    const clone = await clones.ready(await clones.start(image, { env }));
    expect(await (await fetch(`${clone.origin}/fetch`)).text()).toBe('upstream');
  });

  test('takes over further arguments that can only be configuration', async () => {
    const command = ['dotnet', 'Clones.dll', '--Greeting:Text=hello'];
    const clone = await clones.ready(await clones.start(image, { env: { DOTNET_SNAPSHOT: 'require' }, command }));
    expect(await clone.get('/surroundings')).toMatchObject({ fromArgument: 'hello', isRestored: true });
  });

  test('says in its log what differs from the build', async () => {
    const flags = ['--memory', '200m', '--cpus', '1'];
    const clone = await clones.ready(await clones.start(image, { flags, env: { MARK: 'here' } }));
    expect((await clone.logs()).stderr).toMatch(
      /restored in \d+ ms \(snapshot \w+\), [\d.]+ ms of it in the app; differs from the build: variables MARK ONLY_AT_BUILD UPSTREAM, (1 CPU instead of \d+, )?200 MiB of memory instead of \d+ MiB\n/,
    );
  });

  test.each([
    [
      'a hook throws',
      { env: { HOOK_AFTER: 'throw' } },
      'DS5005 after-restore hook Clones.Hooks.AfterRestore threw InvalidOperationException: told to throw',
    ],
    [
      'a hook hangs',
      { env: { HOOK_AFTER: 'hang' } },
      'DS5005 after-restore hook Clones.Hooks.AfterRestore did not end within 2 s',
    ],
    [
      'a setting differs that only the start reads',
      { env: { ASPNETCORE_HTTP_PORTS: '8080;8081' } },
      'DS5005 ASPNETCORE_HTTP_PORTS differs from the build, and a running app can’t follow it'.replace('’', "'"),
    ],
    [
      'an argument may mean another program',
      { command: ['dotnet', 'Clones.dll', '--migrate=now'] },
      "DS5002 the container's command is not the one that was checkpointed",
    ],
  ])('is started normally where %s, and says why', async (_, options, reason) => {
    const clone = await clones.ready(await clones.start(image, options));
    expect((await clone.logs()).stderr).toContain(`${reason}; starting normally\n`);
    expect(await clone.get('/surroundings')).toMatchObject({ isRestored: false });
    expect((await clone.end('TERM')).code).toBe(0);
  });

  test('ends instead where a restore is required', async () => {
    const env = { DOTNET_SNAPSHOT: 'require', HOOK_AFTER: 'throw' };
    const clone = await clones.start(image, { env });
    expect(Number((await docker(['wait', clone.container])).stdout)).toBe(1);
    expect((await clone.logs()).stderr).toContain('told to throw; DOTNET_SNAPSHOT=require forbids a normal start');
  });
});

test('clones that share a value fail the build, which names it without showing it', async () => {
  const image = 'dotnet-snapshot-test/clones-shared:restore-ready';
  const { code, stderr } = await cli([
    'build',
    ...['--project', `${project}/Clones.csproj`, '--framework', 'net10.0', '--traffic', `${project}/traffic.yaml`],
    ...['--env', 'SHARED=yes', '--env', `UPSTREAM=${upstreamUrl}`, '--name', 'clones-net10.0', '--tag', image],
    ...['--clones', '2', '--warmup-timeout', '1', '--output', newFolder()],
  ]);
  expect(stderr).toMatch(
    /DS5004: 2 of 2 clones share \d+ values that must be unique\.\n.*cookie visit of GET \/values/,
  );
  expect(stderr).not.toMatch(/[0-9a-f]{32}/);
  expect(code).toBe(5);
  expect((await docker(['image', 'inspect', image], { mayFail: true })).code).not.toBe(0);
});

test('an app without the ASP.NET Core framework and without a host restores, too', async () => {
  const image = 'dotnet-snapshot-test/plain:restore-ready';
  const { code, stderr } = await cli([
    'build',
    ...['--project', 'test/integration/apps/plain', '--traffic', 'test/integration/apps/plain/traffic.yaml'],
    ...['--tag', image, '--clones', '2', '--pairs', '1', '--warmup-timeout', '1', '--output', newFolder()],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(stderr).toContain('it has no ASP.NET Core host');
  expect(code).toBe(0);
  await docker(['image', 'rm', '--force', image, 'dotnet-snapshot/plain:app'], { mayFail: true });
});

test('a hook that throws before the checkpoint is DS3007 with its name', async () => {
  const { code, stderr } = await cli([
    'check',
    ...['--project', `${project}/Clones.csproj`, '--framework', 'net10.0', '--traffic', `${project}/traffic.yaml`],
    ...['--env', 'HOOK_BEFORE=throw', '--env', `UPSTREAM=${upstreamUrl}`, '--name', 'clones-net10.0'],
  ]);
  expect(stderr).toContain(
    'DS3007: before-checkpoint hook Clones.Hooks.BeforeCheckpoint threw InvalidOperationException: told to throw',
  );
  expect(code).toBe(3);
});
