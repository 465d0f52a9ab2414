import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { createRun } from '../../src/exec.ts';
import { addressOf, cli, docker, statusOf } from '../harness/cli.ts';
import { type Clone, type CloneOptions, Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';
import { AT, changedPlan, countOf, SECTION } from '../harness/plan.ts';

const app = 'test/integration/apps/plain';
const image = 'dotnet-snapshot-test/faults:restore-ready';
const prefix = '/opt/dotnet-snapshot';
const made = [image, 'dotnet-snapshot/faults:app'];
/** What the image restores from, to make damaged ones of. */
const files: Record<'plan' | 'pages', Buffer> = { plan: Buffer.alloc(0), pages: Buffer.alloc(0) };
let folder: string;
/** What the image has in `prefix`. */
let restored: string;

beforeAll(async () => {
  folder = newFolder();
  const output = join(folder, 'build');
  restored = join(folder, 'restored');
  const { code, stderr } = await cli([
    'build',
    ...['--project', app, '--traffic', `${app}/traffic.yaml`, '--name', 'faults', '--tag', image, '--output', output],
    ...['--clones', '1', '--pairs', '1', '--warmup-timeout', '1'],
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  await mkdir(restored);
  const container = (await docker(['create', image])).stdout.trim();
  await docker(['cp', `${container}:${prefix}/.`, restored]);
  await docker(['rm', container]);
  for (const name of ['plan', 'pages'] as const) files[name] = await readFile(join(restored, name));
});
afterAll(async () => {
  await docker(['image', 'rm', '--force', ...made], { mayFail: true });
});

const run = createRun(process.env);

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

/** The image with another plan or other pages. */
function withFile(
  name: string,
  file: 'plan' | 'pages',
  change: (bytes: Buffer) => Buffer | Promise<Buffer>,
): Promise<string> {
  return derived(name, [`COPY ${file} ${prefix}/`], async (context) => {
    await writeFile(join(context, file), await change(files[file]));
  });
}

/** The image with a plan that states something else, and whose digest is right. */
function withPlan(name: string, change: (plan: Buffer) => void): Promise<string> {
  return withFile(name, 'plan', (plan) => changedPlan(plan, change));
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

/** The bytes with one bit changed. */
function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at]! ^= 1;
  return changed;
}

const damaged = 'DS5007 the snapshot is damaged: /opt/dotnet-snapshot/pages';

describe.concurrent('the app is started normally, and says why,', () => {
  test.for<[string, RegExp, () => Promise<string>]>([
    [
      'the pages are truncated',
      new RegExp(`${damaged} has \\d+ bytes instead of \\d+`),
      () => withFile('truncated', 'pages', (pages) => pages.subarray(0, 4096 * 1000)),
    ],
    [
      'a byte of a page that is needed first is another',
      /DS5007 the snapshot is damaged: the content of \/opt\/dotnet-snapshot\/pages has changed/,
      () => withFile('page', 'pages', (pages) => flipped(pages, 5000)),
    ],
    [
      'there are no pages',
      new RegExp(`${damaged} can't be opened \\(No such file or directory\\)`),
      () => derived('no-pages', [`RUN rm ${prefix}/pages`]),
    ],
    [
      'the last byte of the plan is another',
      /DS5007 the restore plan is damaged: its content has changed/,
      () => withFile('plan', 'plan', (plan) => flipped(plan, plan.length - 1)),
    ],
    [
      'the plan is truncated',
      /DS5007 the restore plan is damaged: it has \d+ bytes instead of \d+/,
      () => withFile('short', 'plan', (plan) => plan.subarray(0, 8192)),
    ],
    [
      'there is no plan',
      /DS5007 this image holds no snapshot: \/opt\/dotnet-snapshot\/plan can't be opened \(No such file or directory\)/,
      () => derived('no-plan', [`RUN rm ${prefix}/plan`]),
    ],
    [
      'the plan is of a newer version',
      /DS5007 the restore plan is of version 99, this launcher reads version \d+/,
      () => withPlan('version', (plan) => plan.writeUInt32LE(99, AT.version)),
    ],
    [
      'the CPU lacks a feature',
      /DS5006 the CPU lacks [0-9a-f]{12}, which the snapshot may use \(isa [-\w]+\).*/,
      // The snapshot's name stands where the features are.
      () => withPlan('cpu', (plan) => plan.copy(plan, AT.cpu, AT.snapshot, AT.snapshot + 4)),
    ],
    [
      'the machine is of another architecture',
      /DS5006 the snapshot was made on another architecture than this machine's/,
      () => withPlan('architecture', (plan) => plan.writeUInt32LE(8, AT.machine)),
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
    [
      'an assembly was added to the app’s folder',
      /DS5008 \/app\/ has other assemblies than at the checkpoint/,
      () => derived('added', ['RUN cp /app/Plain.dll /app/Plugin.dll']),
    ],
  ])('where %s', async ([_, reason, from], context) => expectNormalStart(context, reason, await from()));

  test.for<[string, RegExp, CloneOptions]>([
    [
      'the container may open too few files',
      /DS5009 the container may open 200 files, the app needs \d+ \(--ulimit nofile\)/,
      { flags: ['--ulimit', 'nofile=200:200'] },
    ],
    [
      'the root is read-only and there is no /tmp',
      /DS5009 the app's socket \/tmp\/\S+ can't be made: Read-only file system \(--tmpfs \/tmp\)/,
      { spec: { readOnly: false }, flags: ['--read-only'] },
    ],
    [
      '/tmp is full',
      /DS5009 the app's socket \/tmp\/\S+ can't be made: No space left on device \(--tmpfs \/tmp\)/,
      { spec: { readOnly: false }, flags: ['--read-only', '--tmpfs', '/tmp:nr_inodes=1'] },
    ],
  ])('where %s', ([_, reason, options], context) => expectNormalStart(context, reason, image, options));

  test('where the container may use less memory than the snapshot needs', async (context) => {
    const from = await withPlan('memory', (plan) => plan.writeBigUInt64LE(400_000_000n, AT.memory));
    const reason = /DS5009 the container may use 300 MiB of memory, the snapshot's pages are 382 MiB \(--memory\)/;
    await expectNormalStart(context, reason, from, { flags: ['--memory', '300m'] });
  });

  test('where the container may have too few threads', async (context) => {
    // The launcher is one more, so that the last thread of the app is one too many. .NET itself does not start with much less.
    const threads = String(countOf(files.plan, SECTION.threads));
    const reason = /DS5009 no thread can be started, \d+ of \d+ are there: .*\(--pids-limit\)/;
    await expectNormalStart(context, reason, image, { flags: ['--pids-limit', threads] });
  });

  test('where its PID is taken', async (context) => {
    const first = await expectRestore(context, image);
    await expectNormalStart(
      context,
      /DS5009 PID 64 is taken: programs of this container have used the numbers up to \d+ before the restore \(.*--pid, no share.*\)/,
      image,
      {
        flags: ['--pid', `container:${first.container}`],
      },
    );
  });
});

describe.concurrent('the app is restored', () => {
  test.for<[string, CloneOptions]>([
    ['by plain docker run', { spec: { capabilities: undefined, noNewPrivileges: false, readOnly: false } }],
    ['as another user and group', { flags: ['--user', '4242:4343', '--group-add', '4444'] }],
    ['as a user of OpenShift', { flags: ['--user', '1000650000:0'] }],
    ['beside an init', { flags: ['--init'] }],
    ['on half a CPU', { flags: ['--cpus', '0.5'] }],
  ])('%s', async ([_, options], context) => {
    await expectRestore(context, image, options);
  });

  test('by a script that runs some programs first', async (context) => {
    const script = `for i in 1 2 3 4 5; do date > /dev/null; done; exec ${prefix}/bin/launcher run -- dotnet Plain.dll`;
    await expectRestore(context, image, { spec: { entrypoint: 'sh', command: ['-c', script] } });
  });

  test('on a kernel with another vdso', async (context) => {
    const from = await withPlan('vdso', (plan) => plan.writeBigUInt64LE(1n, AT.vdsoHash));
    const clone = await expectRestore(context, from);
    expect(await statusOf(`${clone.origin}/`)).toBe(200);
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

test('the image has what a restore needs, and nothing of the build', async () => {
  const names = await readdir(restored, { recursive: true });
  expect(names.filter((name) => !name.startsWith('licenses')).sort()).toEqual([
    'bin',
    'bin/launcher',
    'companion',
    'companion/DotnetSnapshot.Companion.dll',
    'companion/waits.so',
    'manifest.json',
    'pages',
    'plan',
  ]);
  expect(countOf(files.plan, SECTION.prefetch)).toBeGreaterThan(0);
  expect(files.plan.readBigUInt64LE(AT.hotBytes)).toBeGreaterThan(0n);
});

test('where the port is taken, who has it goes on, and who comes later says so', async (context) => {
  const clones = clonesOf(context);
  const first = await clones.ready(await clones.start(image, { env: { DOTNET_SNAPSHOT: 'off' } }));
  const flags = { flags: ['--network', `container:${first.container}`] };
  const second = await clones.start(image, flags);
  expect(Number((await docker(['wait', second.container])).stdout)).not.toBe(0);
  expect((await second.logs()).stderr).toMatch(
    /^DS5009 port 8080 of \S+, on which the app listened, is taken; starting normally\n/,
  );
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

test('40 containers at once are all restored', async (context) => {
  const clones = clonesOf(context);
  // Whoever answers was restored.
  const all = await Promise.all(
    Array.from({ length: 40 }, () => clones.start(image, { env: { DOTNET_SNAPSHOT: 'require' } })),
  );
  await Promise.all(all.map((clone) => clones.ready(clone)));
});

// More, once in a while: RESTORES=500 vitest run --project containers test/integration/faults.test.ts
const restores = Number(process.env.RESTORES ?? 150);

test(`${restores} restores in a row all answer`, async (context) => {
  const clones = clonesOf(context);
  const clone = await clones.start(image, { env: { DOTNET_SNAPSHOT: 'require' } });
  for (let number = 1; number <= restores; number++) {
    expect(await statusOf(`http://${await addressOf(clone.container)}:8080/`), `restore ${number}`).toBe(200);
    await docker(['kill', clone.container]);
    if (number < restores) await docker(['start', clone.container]);
  }
});

test('a process that docker exec starts meanwhile does not harm', async (context) => {
  const clones = clonesOf(context);
  for (let round = 0; round < 5; round++) {
    const clone = await clones.start(image);
    await Promise.all(Array.from({ length: 3 }, () => docker(['exec', clone.container, 'true'], { mayFail: true })));
    await clones.ready(clone);
    expect((await clone.logs()).stderr).toMatch(
      /^(dotnet-snapshot: restored in|DS5009 PID \d+ is taken: .*; starting normally)/,
    );
  }
});

test.each([
  ['fuzz', ['20'], 'Done'],
  ['valgrind', [], 'valgrind found nothing'],
])('%s finds nothing wrong with how the launcher reads a plan', async (script, words, good) => {
  const { code, stdout, stderr } = await run([`test/native/${script}`, ...words, join(folder, 'restored', 'plan')]);
  expect(stdout + stderr).toContain(good);
  expect(code).toBe(0);
});

test('launcher check reads the whole snapshot', async () => {
  const check = (from: string) =>
    docker(['run', '--rm', '--entrypoint', `${prefix}/bin/launcher`, from, 'check'], { mayFail: true });
  expect((await check(image)).stderr).toMatch(/^dotnet-snapshot: snapshot [0-9a-f]{12} is undamaged/);
  const from = await withFile('cold', 'pages', (pages) => flipped(pages, pages.length - 5000));
  expect((await check(from)).stderr).toMatch(/^DS5007 the snapshot is damaged: the content of .*pages has changed\n$/);
});
