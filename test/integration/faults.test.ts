import { cp, mkdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { addressOf, cli, docker, statusOf, testFolder } from '../harness/cli.ts';
import { type Clone, type CloneOptions, Clones } from '../harness/clone.ts';

const app = 'test/integration/apps/plain';
const image = 'dotnet-snapshot-test/faults:restore-ready';
const prefix = '/opt/dotnet-snapshot';
const made = [image, 'dotnet-snapshot/faults:app'];
/** The CRIU files of the image, to make damaged ones of. */
let checkpoint: string;
let folder: string;

beforeAll(async () => {
  folder = await testFolder();
  const output = join(folder, 'build');
  const { code, stderr } = await cli([
    'build',
    ...['--project', app, '--traffic', `${app}/traffic.yaml`, '--name', 'faults', '--tag', image, '--output', output],
    ...['--clones', '1', '--pairs', '1', '--warmup-timeout', '1'],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  checkpoint = join(output, 'snapshot', 'checkpoint');
});
afterAll(async () => {
  await docker(['image', 'rm', '--force', ...made], { mayFail: true });
});

/** The image with something changed: the lines of a Dockerfile, whose context `fill` puts files into. */
async function derived(name: string, lines: string[], fill: (context: string) => Promise<unknown> = async () => {}) {
  const context = join(folder, name);
  await mkdir(context);
  await fill(context);
  await writeFile(join(context, 'Dockerfile'), [`FROM ${image}`, 'USER 0', ...lines, 'USER 1654', ''].join('\n'));
  const tag = `dotnet-snapshot-test/faults:${name}`;
  made.push(tag);
  await docker(['build', '--quiet', '--tag', tag, context]);
  return tag;
}

/** The image with one of CRIU's files changed. */
function withImageFile(name: string, file: string, change: (path: string) => Promise<unknown>): Promise<string> {
  return derived(name, [`COPY ${file} ${prefix}/checkpoint/`], async (context) => {
    await cp(join(checkpoint, file), join(context, file));
    await change(join(context, file));
  });
}

/** The image with a line of its launch file changed. */
function withLaunchLine(name: string, pattern: RegExp, line: string): Promise<string> {
  return derived(name, [`COPY launch ${prefix}/`], async (context) => {
    const text = await fileOf(`${prefix}/launch`);
    expect(text).toMatch(pattern);
    await writeFile(join(context, 'launch'), text.replace(pattern, line));
  });
}

/** The image with a file of the app put in again, changed or with another time. */
function withAppFile(name: string, change: (path: string) => Promise<unknown>): Promise<string> {
  return derived(name, ['COPY Plain.dll /app/'], async (context) => {
    const container = (await docker(['create', image])).stdout.trim();
    await docker(['cp', `${container}:/app/Plain.dll`, context]);
    await docker(['rm', container]);
    await change(join(context, 'Plain.dll'));
  });
}

async function fileOf(path: string): Promise<string> {
  return (await docker(['run', '--rm', '--entrypoint', 'cat', image, path])).stdout;
}

async function flipByte(path: string, offset: (size: number) => number): Promise<void> {
  const bytes = await readFile(path);
  const at = offset(bytes.length);
  bytes[at] = bytes[at]! ^ 1;
  await writeFile(path, bytes);
}

/** Containers of one test, which runs beside others. */
function clonesOf(context: TestContext): Clones {
  const clones = new Clones();
  context.onTestFinished(() => clones.remove());
  return clones;
}

/** What the container says of itself to whoever asks. */
async function outcome(clone: Clone): Promise<unknown> {
  return JSON.parse((await docker(['exec', clone.container, 'cat', '/dev/shm/dotnet-snapshot.json'])).stdout);
}

/** Starts a container that can't restore: it answers nevertheless, and with `require` it ends. Each says why. */
async function expectNormalStart(
  context: TestContext,
  reason: RegExp,
  from: string,
  options: CloneOptions = {},
): Promise<void> {
  const clones = clonesOf(context);
  const [clone, required] = await Promise.all([
    clones.start(from, options),
    clones.start(from, { ...options, env: { DOTNET_SNAPSHOT: 'require' } }),
  ]);
  expect(Number((await docker(['wait', required.container])).stdout)).toBe(1);
  const line = new RegExp(`^${reason.source}; DOTNET_SNAPSHOT=require forbids a normal start\n$`);
  expect((await required.logs()).stderr).toMatch(line);

  expect(await statusOf(`${clone.origin}/`, (status) => status === 200)).toBe(200);
  expect((await clone.logs()).stderr).toMatch(new RegExp(`^${reason.source}; starting normally\n$`));
  expect(await outcome(clone)).toEqual({ restored: false, reason: expect.stringMatching(reason) });
}

/** Starts a container that restores in spite of something. */
async function expectRestore(context: TestContext, from: string, options: CloneOptions = {}): Promise<Clone> {
  const clones = clonesOf(context);
  const clone = await clones.start(from, { ...options, env: { DOTNET_SNAPSHOT: 'require' } });
  await clones.ready(clone);
  // An app without a gate may answer before the launcher has said so.
  await context.expect.poll(async () => (await clone.logs()).stderr).toMatch(/^dotnet-snapshot: restored in \d+ ms/);
  expect(await outcome(clone)).toMatchObject({ restored: true, snapshot: expect.stringMatching(/^[0-9a-f]{12}$/) });
  return clone;
}

const middle = (size: number) => Math.floor(size / 2);

describe.concurrent('the app is started normally, and says why,', () => {
  test.for<[string, RegExp, () => Promise<string>]>([
    [
      'a page image is truncated',
      /DS5007 the snapshot is damaged: pages-1\.img has \d+ bytes instead of \d+/,
      () => withImageFile('truncated', 'pages-1.img', (path) => truncate(path, 4096 * 1000)),
    ],
    [
      'a byte of a page is another',
      /DS5007 the snapshot is damaged: the content of pages-1\.img has changed/,
      () => withImageFile('page', 'pages-1.img', (path) => flipByte(path, middle)),
    ],
    [
      'the last byte of a small file is another',
      /DS5007 the snapshot is damaged: the content of mm-1000\.img has changed/,
      () => withImageFile('small', 'mm-1000.img', (path) => flipByte(path, (size) => size - 1)),
    ],
    [
      'a file is missing',
      /DS5007 the snapshot is damaged: files\.img can't be opened \(No such file or directory\)/,
      () => derived('missing', [`RUN rm ${prefix}/checkpoint/files.img`]),
    ],
    [
      'the launch file is of a newer format',
      /DS5007 the snapshot's launch file is of format 99, this launcher reads format 2/,
      () => withLaunchLine('format', /^format \d+/m, 'format 99'),
    ],
    [
      'the CPU lacks a feature',
      /DS5006 the CPU lacks no_such_feature, which the snapshot may use \(isa [-\w]+\).*/,
      () => withLaunchLine('cpu', /^cpu/m, 'cpu no_such_feature'),
    ],
    [
      'the machine is of another architecture',
      /DS5006 this machine is \w+, the snapshot was made on mips/,
      () => withLaunchLine('architecture', /^architecture .*/m, 'architecture mips'),
    ],
    [
      'the kernel is too old',
      /DS5006 the kernel is 2\.6\.\S+, a restore needs Linux 5\.9 or newer/,
      () =>
        derived('kernel', [
          `ENTRYPOINT ["setarch", "--uname-2.6", "${prefix}/bin/launcher", "run", "--"]`,
          'CMD ["dotnet", "Plain.dll"]',
        ]),
    ],
    [
      'a file of the app has changed',
      /DS5008 \/app\/Plain\.dll has changed after the checkpoint/,
      // Somewhere in the name of the assembly's author or the like: it still runs.
      () => withAppFile('changed', (path) => flipByte(path, (size) => size - 1)),
    ],
    [
      'a file of the app is gone',
      /DS5008 \/app\/Plain\.deps\.json was there at the checkpoint \(No such file or directory\)/,
      () => derived('gone', ['RUN rm /app/Plain.deps.json']),
    ],
  ])('where %s', async ([_, reason, from], context) => expectNormalStart(context, reason, await from()));

  test.for<[string, RegExp, CloneOptions]>([
    [
      'the container has no capability',
      /DS5009 the container lacks the capability CHECKPOINT_RESTORE \(--cap-add CHECKPOINT_RESTORE\)/,
      { spec: { capabilities: [] } },
    ],
    [
      'the container lacks one capability',
      /DS5009 the container lacks the capability SETPCAP \(--cap-add SETPCAP\)/,
      { spec: { capabilities: ['CHECKPOINT_RESTORE'] } },
    ],
    [
      'no-new-privileges meets an init',
      /DS5009 no-new-privileges withholds the capability CHECKPOINT_RESTORE, .*leave out --init.*/,
      { flags: ['--init'] },
    ],
    [
      'the seccomp profile is Docker’s default',
      /DS5009 the container's seccomp profile forbids clone3, .*/,
      { spec: { seccomp: 'builtin' } },
    ],
    [
      'the root is read-only and there is no /tmp',
      /DS5009 no file can be made in \/tmp, where the app has a socket: Read-only file system \(--tmpfs \/tmp\)/,
      { spec: { readOnly: false }, flags: ['--read-only'] },
    ],
    [
      '/tmp is full',
      /DS5009 no file can be made in \/tmp, where the app has a socket: No space left on device \(--tmpfs \/tmp\)/,
      { spec: { readOnly: false }, flags: ['--read-only', '--tmpfs', '/tmp:nr_inodes=1'] },
    ],
  ])('where %s', ([_, reason, options], context) => expectNormalStart(context, reason, image, options));

  test('where the container may use less memory than the snapshot needs', async (context) => {
    const from = await withLaunchLine('memory', /^memory \d+/m, 'memory 400000000');
    const reason = /DS5009 the container may use 300 MiB of memory, the snapshot's pages are 382 MiB \(--memory\)/;
    await expectNormalStart(context, reason, from, { flags: ['--memory', '300m'] });
  });

  test('where its PID is taken', async (context) => {
    const first = await expectRestore(context, image);
    await expectNormalStart(context, /DS5009 PID 1000 is taken; .*/, image, {
      flags: ['--pid', `container:${first.container}`],
    });
  });
});

describe.concurrent('the app is restored', () => {
  test('under Docker’s default seccomp profile, where ns_last_pid is mounted', async (context) => {
    const path = '/proc/sys/kernel/ns_last_pid';
    await expectRestore(context, image, { spec: { seccomp: 'builtin' }, flags: ['--volume', `${path}:${path}`] });
  });

  test('where /tmp has no space left', async (context) => {
    await expectRestore(context, image, {
      spec: { readOnly: false },
      flags: ['--read-only', '--tmpfs', '/tmp:size=4k'],
    });
  });

  test('where a file of the app has another time but the same content', async (context) => {
    await expectRestore(context, await withAppFile('touched', (path) => utimes(path, 1, 1)));
  });

  test('beside an init, where new privileges are allowed', async (context) => {
    await expectRestore(context, image, { spec: { noNewPrivileges: false }, flags: ['--init'] });
  });

  test('and outlives signals that it does not handle, as PID 1 would', async (context) => {
    const clone = await expectRestore(context, image);
    for (const signal of ['USR1', 'USR2', 'ALRM', 'TSTP', 'TTIN', 'RTMIN+3']) {
      await docker(['kill', '--signal', signal, clone.container]);
      expect(await statusOf(`${clone.origin}/`), signal).toBe(200);
    }
    expect((await clone.end('TERM')).code).toBe(143);
  });

  test('again after the kernel has killed it for its memory', async (context) => {
    const clones = clonesOf(context);
    const flags = ['--restart', 'on-failure', '--memory', '200m', '--memory-swap', '200m'];
    const clone = await clones.ready(await clones.start(image, { flags }));
    await expect(fetch(`${clone.origin}/allocate`)).rejects.toThrow();
    await context.expect
      .poll(async () => (await clone.logs()).stderr.match(/restored in/g)?.length, { timeout: 20_000 })
      .toBe(2);
    expect(await statusOf(`http://${await addressOf(clone.container)}:8080/`)).toBe(200);
  });
});

test('where the port is taken, who has it goes on, and who comes later says so', async (context) => {
  const clones = clonesOf(context);
  const first = await clones.ready(await clones.start(image, { env: { DOTNET_SNAPSHOT: 'off' } }));
  const flags = { flags: ['--network', `container:${first.container}`] };
  const second = await clones.start(image, flags);
  expect(Number((await docker(['wait', second.container])).stdout)).not.toBe(0);
  expect((await second.logs()).stderr).toMatch(/^DS5002 criu: .*Address already in use; starting normally\n/);
  expect(await statusOf(`${first.origin}/`)).toBe(200);
});

test('a manifest of a newer version is told where it is read, and does not keep the app from its restore', async (context) => {
  const from = await derived('manifest', [`COPY manifest.json ${prefix}/`], async (context) => {
    await writeFile(join(context, 'manifest.json'), '{"schemaVersion":2}');
  });
  const { code, stderr } = await cli(['inspect', from]);
  expect(stderr).toMatch(
    /DS6002: .*manifest\.json of dotnet-snapshot-test\/faults:manifest is not a manifest of version 1/,
  );
  expect(code).toBe(1);
  await expectRestore(context, from);
});

test('20 containers at once all answer', async (context) => {
  const clones = clonesOf(context);
  const all = await Promise.all(Array.from({ length: 20 }, () => clones.start(image)));
  await Promise.all(all.map((clone) => clones.ready(clone)));
  const ways = all.map((clone) =>
    expect.poll(async () => (await clone.logs()).stderr).toMatch(/restored in|starting normally/),
  );
  await Promise.all(ways);
  const logs = await Promise.all(all.map((clone) => clone.logs()));
  console.log(`${logs.filter(({ stderr }) => stderr.includes('restored in')).length} of 20 at once were restored`);
});

test('100 restores in a row all answer', async (context) => {
  const clones = clonesOf(context);
  // Whoever answers was restored.
  const clone = await clones.start(image, { env: { DOTNET_SNAPSHOT: 'require' } });
  for (let number = 1; number <= 100; number++) {
    expect(await statusOf(`http://${await addressOf(clone.container)}:8080/`), `restore ${number}`).toBe(200);
    await docker(['kill', clone.container]);
    if (number < 100) await docker(['start', clone.container]);
  }
});
