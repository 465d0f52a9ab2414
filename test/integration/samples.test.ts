import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Docker } from '../../src/engine/docker.ts';
import { createRun } from '../../src/exec.ts';
import { manifestSchema } from '../../src/model/manifest.ts';
import { reportSchema } from '../../src/store/report-schema.ts';
import { addressOf, cli, docker, type Finished, leftovers, statusOf } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';

/** The strictest container; nothing of it is needed. */
const production = ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--read-only', '--tmpfs', '/tmp'];

const containers: string[] = [];
async function start(image: string, flags: string[]): Promise<string> {
  const container = (await docker(['run', '--detach', ...flags, image])).stdout.trim();
  containers.push(container);
  return container;
}
afterAll(async () => {
  if (containers.length > 0) await docker(['rm', '--force', ...containers], { mayFail: true });
});

describe.each(['todo-api', 'mvc-shop', 'worker'])('%s', (name) => {
  const image = `dotnet-snapshot-test/${name}:restore-ready`;
  let output: string;
  let build: Finished;
  let before: string[];
  beforeAll(async () => {
    output = newFolder();
    before = await leftovers();
    build = await cli([
      'build',
      ...['--project', `samples/${name}`, '--traffic', `samples/${name}/traffic.yaml`, '--ready-path', '/healthz'],
      ...['--tag', image, '--output', output, '--pairs', '1', '--warmup-timeout', '5'],
    ]);
  });

  test('becomes a restore-ready image, verified and reported', async () => {
    expect(build.stderr).not.toContain('DS');
    expect(build.code).toBe(0);
    const report = reportSchema.parse(JSON.parse(await readFile(join(output, 'report.json'), 'utf8')));
    expect(report.verify.answersCompared).toBeGreaterThan(200);
    expect(report.scan.findings).toBe(0);
    expect(await readFile(join(output, 'report.md'), 'utf8')).toContain(`\`${name}\` starts in`);
    expect(await readFile(join(output, 'startup.svg'), 'utf8')).toContain('<svg');
    expect(JSON.parse(await readFile(join(output, 'scan.sarif'), 'utf8')).version).toBe('2.1.0');
    const manifest = manifestSchema.parse(
      JSON.parse(await readFile(join(output, 'snapshot', 'manifest.json'), 'utf8')),
    );
    expect(manifest.scan?.verdict).toBe('clean');
    expect(await leftovers(before)).toEqual([]);
  });

  test('restores in production’s container, and SIGTERM ends it gracefully', async () => {
    const container = await start(image, [...production, '--env', 'DOTNET_SNAPSHOT=require']);
    expect(await statusOf(`http://${await addressOf(container)}:8080/healthz`)).toBe(200);
    await docker(['stop', '--time', '8', container]);
    const { stdout, stderr } = await docker(['logs', container]);
    expect(stderr).toMatch(/restored in \d+ ms \(snapshot [0-9a-f]{12}\)/);
    expect(stdout).toContain('Application is shutting down');
    expect((await docker(['inspect', '--format', '{{.State.ExitCode}}', container])).stdout.trim()).toBe('0');
  });

  test('20 clones of it make no random value twice', async () => {
    const seen = new Map<string, string>();
    for (let batch = 0; batch < 4; batch++) {
      const flags = [...production, '--env', 'DOTNET_SNAPSHOT=verify'];
      const started = await Promise.all(Array.from({ length: 5 }, () => start(image, flags)));
      for (const container of started) {
        expect(await statusOf(`http://${await addressOf(container)}:8080/healthz`)).toBe(200);
        const { stdout } = await new Docker(createRun(process.env), 'test')
          .converse(container, ['/opt/dotnet-snapshot/bin/launcher', 'control'])
          .ask('unique');
        for (const { source, value } of JSON.parse(stdout).values) {
          expect(`${source}: ${seen.get(`${source} ${value}`)}`).toBe(`${source}: undefined`);
          seen.set(`${source} ${value}`, container);
        }
      }
      await docker(['rm', '--force', ...started]);
    }
    expect(seen.size).toBeGreaterThan(20 * 30);
  });
});

describe('a restore-ready image', () => {
  const image = 'dotnet-snapshot-test/worker:restore-ready';

  // 1000650000:0 is a user as OpenShift gives one: no image knows it, and its group is root's.
  test.each<[string, string[], RegExp]>([
    ['a plain docker run', [], /^Uid:\t1654\b/m],
    ['the strictest container', production, /^Uid:\t1654\b/m],
    ['a user that the image does not know', [...production, '--user', '1000650000:0'], /^Uid:\t1000650000\b/m],
    ['another group', [...production, '--user', '1654:4242'], /^Gid:\t4242\b/m],
    ['further groups', [...production, '--group-add', '5000', '--group-add', '5001'], /^Groups:\t.*\b5000 5001\b/m],
    ['root', ['--user', '0'], /^Uid:\t0\b/m],
    ['an init', [...production, '--init'], /^Uid:\t1654\b/m],
    ['no seccomp profile', ['--security-opt', 'seccomp=unconfined'], /^Seccomp:\t0$/m],
  ])('restores in or as: %s', async (_what, flags, status) => {
    const container = await start(image, [...flags, '--env', 'DOTNET_SNAPSHOT=require']);
    expect(await statusOf(`http://${await addressOf(container)}:8080/healthz`)).toBe(200);
    expect((await docker(['logs', container])).stderr).toMatch(/restored in \d+ ms/);
    expect((await docker(['exec', container, 'cat', '/proc/64/status'])).stdout).toMatch(status);
  });

  test('restores without any capability, under Docker’s seccomp profile', async () => {
    const container = await start(image, [...production, '--env', 'DOTNET_SNAPSHOT=require']);
    expect(await statusOf(`http://${await addressOf(container)}:8080/healthz`)).toBe(200);
    const { stdout } = await docker(['exec', container, 'cat', '/proc/64/status']);
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) expect(stdout).toMatch(new RegExp(`^Cap${set}:\\t0+$`, 'm'));
    expect(stdout).toMatch(/^NoNewPrivs:\t1$/m);
    expect(stdout).toMatch(/^Seccomp:\t2$/m);
  });

  test('starts the app normally where it can’t be restored, and says why', async () => {
    const container = await start(image, ['--read-only']);
    expect(await statusOf(`http://${await addressOf(container)}:8080/healthz`)).toBe(200);
    expect((await docker(['logs', container])).stderr).toMatch(
      /DS5009 .*\/tmp\/.*Read-only file system.*; starting normally/,
    );
  });

  test('ends with the reason where a restore is required and not possible', async () => {
    const result = await docker(['run', '--rm', '--read-only', '--env', 'DOTNET_SNAPSHOT=require', image], {
      mayFail: true,
    });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('DOTNET_SNAPSHOT=require forbids a normal start');
  });

  test('does not restore where that is switched off', async () => {
    const container = await start(image, [...production, '--env', 'DOTNET_SNAPSHOT=off']);
    expect(await statusOf(`http://${await addressOf(container)}:8080/healthz`)).toBe(200);
    expect((await docker(['logs', container])).stderr).not.toContain('restored');
  });

  test('runs another command that it is given', async () => {
    const { stdout } = await docker(['run', '--rm', image, 'dotnet', '--list-runtimes']);
    expect(stdout).toContain('Microsoft.AspNetCore.App 10.');
  });

  test('shows its manifest', async () => {
    const { code, stdout } = await cli(['inspect', image]);
    expect(code).toBe(0);
    expect(manifestSchema.parse(JSON.parse(stdout)).app.command).toEqual(['dotnet', 'Worker.dll']);
  });

  test('answers a replay of the traffic', async () => {
    const container = await start(image, production);
    const origin = `http://${await addressOf(container)}:8080`;
    await statusOf(`${origin}/healthz`, (status) => status === 200);
    const { code, stdout } = await cli(['replay', '--traffic', 'samples/worker/traffic.yaml', '--url', origin]);
    expect(stdout).toMatch(/267 requests, 0 not as expected/);
    expect(code).toBe(0);
  });
});
