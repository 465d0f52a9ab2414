import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

const project = 'test/integration/apps/isa';
const machine = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' ') ?? [];
const has = (...features: string[]) => features.every((name) => machine.includes(name));
const v3 = has('avx2', 'bmi1', 'bmi2', 'fma', 'f16c', 'movbe', 'abm');

/** glibc's memcpy begins with this where it copies by AVX: vmovdqu (%rsi),%ymm0. */
const AVX_COPY = 'C5FE6F06';
/** What the levels above v2 bring, and what is in none. */
const ABOVE_V2 = /^(Avx|Bmi|Fma|Lzcnt|Gfni|X86Serialize)/;
const IN_NO_LEVEL = /^(Avx10|AvxVnni|AvxIfma|Avx512Vbmi|Gfni|X86Serialize)/;

interface Seen {
  supported: string[];
  vectorBytes: number;
  memcpy: string;
  openSsl: string;
}

const clones = new Clones();
const tags: string[] = [];
afterEach(() => clones.remove());
afterAll(() => docker(['image', 'rm', '--force', ...tags], { mayFail: true }));

const selfContained = ['--publish-args=--self-contained', '--publish-args=--runtime=linux-x64'];

/** Builds the app, restores a clone, and returns what that takes the CPU for, with what the manifest says. */
async function build(
  framework: string,
  flags: string[],
  { traffic = 'traffic', env = {} }: { traffic?: string; env?: Record<string, string> } = {},
) {
  const name = `isa-${framework}`.replaceAll('.', '-');
  const [image, output] = [`dotnet-snapshot-test/${name}:restore-ready`, newFolder()];
  tags.push(image, `dotnet-snapshot/${name}:app`);
  const { code, stderr } = await cli([
    ...['build', '--project', `${project}/Isa.csproj`, '--framework', framework, '--name', name, '--tag', image],
    ...['--traffic', `${project}/${traffic}.yaml`, '--output', output, '--pairs', '1', '--clones', '1'],
    ...['--warmup-timeout', '2', '--base-image', 'mcr.microsoft.com/dotnet/aspnet:10.0', ...flags],
    ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...(framework === 'net10.0' ? [] : selfContained),
  ]);
  expect(stderr).not.toMatch(/DS\d{4}/);
  expect(code).toBe(0);
  const { cpu } = JSON.parse(await readFile(join(output, 'snapshot', 'manifest.json'), 'utf8'));
  const clone = await clones.ready(await clones.start(image, { env: { ...env, DOTNET_SNAPSHOT: 'require' } }));
  const variables = await clone.get<string[]>('/variables');
  return { cpu, seen: await clone.get<Seen>('/isa'), variables, output: stderr };
}

/** The second word of OpenSSL's capabilities: leaf 7 of cpuid, of which bit 5 is AVX2. */
function opensslHasAvx2(settings: string): boolean {
  return ((BigInt(/=0x[0-9a-f]+:(0x[0-9a-f]+)/.exec(settings)![1]!) >> 5n) & 1n) === 1n;
}

describe.each(['net8.0', 'net9.0', 'net10.0'])('%s', (framework) => {
  test('with x86-64-v2, neither .NET nor the C library nor OpenSSL use more, and the app sees none of the settings', async () => {
    const { cpu, seen, variables } = await build(framework, ['--isa', 'x86-64-v2']);
    expect(cpu.isa).toBe('x86-64-v2');
    expect(cpu.features).toEqual(expect.arrayContaining(['popcnt', 'sse4_2', 'ssse3']));
    expect(cpu.features.filter((name: string) => /avx|bmi|fma|abm|movbe|sha|gfni|vaes|rtm|xsavec/.test(name))).toEqual(
      [],
    );
    expect(seen.supported).toContain('Sse42');
    expect(seen.supported.filter((name) => ABOVE_V2.test(name))).toEqual([]);
    expect(seen.vectorBytes).toBe(16);
    expect(seen.memcpy).not.toContain(AVX_COPY);
    expect(opensslHasAvx2(seen.openSsl)).toBe(false);
    expect(
      variables.filter((name) => /^(DOTNET_Enable|DOTNET_GC|GLIBC|OPENSSL|LD_|DOTNET_SNAPSHOT_)/.test(name)),
    ).toEqual([]);
  });
});

test.runIf(v3)('the default is x86-64-v3, on a machine that has more', async () => {
  const { cpu, seen } = await build('net10.0', []);
  expect(cpu.isa).toBe('x86-64-v3');
  expect(cpu.features).toEqual(expect.arrayContaining(['abm', 'avx2', 'bmi2', 'fma', 'movbe']));
  expect(cpu.features.filter((name: string) => /avx512|vaes|sha_ni|adx|rdrand|xsavec/.test(name))).toEqual([]);
  expect(seen.supported).toEqual(expect.arrayContaining(['Avx2', 'Bmi2', 'Fma', 'Lzcnt']));
  expect(seen.supported.filter((name) => name.startsWith('Avx512') || IN_NO_LEVEL.test(name))).toEqual([]);
  expect(seen.memcpy).toContain(AVX_COPY);
  expect(opensslHasAvx2(seen.openSsl)).toBe(true);
});

test.runIf(v3)('what the user sets stays, and the manifest follows it', async () => {
  const env = { DOTNET_EnableAVX: '1', DOTNET_EnableAVX2: '1', GLIBC_TUNABLES: 'glibc.malloc.arena_max=2' };
  const { cpu, seen, variables } = await build('net10.0', ['--isa', 'x86-64-v2'], { env });
  expect(variables).toContain('GLIBC_TUNABLES=glibc.malloc.arena_max=2');
  expect(seen.supported).toContain('Avx2');
  expect(cpu.features).toContain('avx2');
  expect(seen.memcpy).not.toContain(AVX_COPY);
});

test.runIf(v3)('zlib-ng, which follows no setting, chooses anew in each clone and so asks for nothing', async () => {
  const { cpu } = await build('net10.0', ['--isa', 'x86-64-v2'], { traffic: 'compression' });
  expect(cpu.features.filter((name: string) => name.startsWith('avx'))).toEqual([]);
});

test.runIf(v3 && !has('avx512f'))('a level that the machine does not reach becomes one that it does', async () => {
  const { cpu, output } = await build('net10.0', ['--isa', 'x86-64-v4']);
  expect(cpu.isa).toBe('x86-64-v3');
  expect(output).toContain('isa x86-64-v4 was asked for; this machine has x86-64-v3');
});
