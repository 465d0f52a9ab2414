import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cpuUsed, ISAS, type Isa, isaVariables } from '../../src/warmup/isa.ts';

const v2 = ['cx16', 'lahf_lm', 'pni', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3', 'xsave'];
const haswell = [...v2, 'abm', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe', 'aes', 'pclmulqdq', 'rdrand'];
const skylake = [...haswell, 'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl', 'adx', 'xsavec', 'rtm'];
const iceLake = [...skylake, 'sha_ni', 'vaes', 'vpclmulqdq', 'gfni', 'avx512_vnni', 'avx512vbmi'];

const on = (cpuFeatures: string[], architecture = 'x86_64') => ({ architecture, cpuFeatures });

describe('the manifest', () => {
  test.each<[Isa, string[], Isa, string[]]>([
    ['x86-64-v2', iceLake, 'x86-64-v2', [...v2, 'aes', 'pclmulqdq']],
    ['x86-64-v3', iceLake, 'x86-64-v3', haswell.filter((name) => name !== 'rdrand')],
    ['x86-64-v4', haswell, 'x86-64-v3', haswell.filter((name) => name !== 'rdrand')],
    ['x86-64-v3', v2, 'x86-64-v2', v2],
    ['native', iceLake, 'native', iceLake],
    ['x86-64-v3', ['pni', 'fpu'], 'native', ['pni']],
  ])('lists, for %s on such a machine, what may be in use', (asked, machine, isa, features) => {
    expect(cpuUsed(asked, {}, on(machine), true)).toEqual({ isa, features: [...features].sort() });
  });

  test('lists what the user takes back, as far as the machine has it', () => {
    const given = { DOTNET_EnableAVX512: '1', DOTNET_EnableAVX512F: '0', LD_BIND_NOW: '' };
    const { features } = cpuUsed('x86-64-v3', given, on(skylake), true);
    expect(features).toEqual(expect.arrayContaining(['avx512f', 'xsavec']));
    expect(features).not.toContain('sha_ni');
    expect(features).not.toContain('adx');
  });

  test('lists all of the machine where glibc or OpenSSL choose by themselves', () => {
    for (const name of ['OPENSSL_ia32cap', 'GLIBC_TUNABLES'])
      expect(cpuUsed('x86-64-v2', { [name]: 'glibc.cpu.hwcaps=-RTM' }, on(iceLake), true).features).toContain(
        'avx512vbmi',
      );
  });

  test('does not take tunables for a choice that say nothing of the CPU, also as they were joined', () => {
    const given = { GLIBC_TUNABLES: 'glibc.malloc.arena_max=2' };
    const joined = { GLIBC_TUNABLES: isaVariables('x86-64-v3', given).GLIBC_TUNABLES! };
    expect(cpuUsed('x86-64-v3', given, on(iceLake), true).features).not.toContain('avx512f');
    expect(cpuUsed('x86-64-v3', joined, on(iceLake), true).features).not.toContain('avx512f');
  });

  test('lists what zlib-ng may have chosen, where it will not choose anew', () => {
    expect(cpuUsed('x86-64-v3', {}, on(iceLake), false).features).toContain('avx512_vnni');
  });

  test('lists the machine on arm64, whatever level was asked for', () => {
    const machine = on(['fp', 'asimd', 'evtstrm', 'atomics', 'cpuid'], 'aarch64');
    expect(cpuUsed('x86-64-v3', {}, machine, true)).toEqual({ isa: 'native', features: ['asimd', 'atomics', 'fp'] });
    // The launcher's own names for what /proc/cpuinfo does not tell.
    const more = on(['fp', 'paca', 'cache-1.0.4.4', 'zva-4', 'pac-qarma5-48'], 'aarch64');
    const features = ['cache-1.0.4.4', 'fp', 'pac-qarma5-48', 'paca', 'zva-4'];
    expect(cpuUsed('native', {}, more, true).features).toEqual(features);
  });
});

describe('the variables', () => {
  test('are those of .NET 8 and 9 and of .NET 10', () => {
    expect(isaVariables('x86-64-v3', {})).toMatchObject({ DOTNET_EnableAVX512F: '0', DOTNET_EnableAVX512: '0' });
    expect(isaVariables('x86-64-v3', {})).not.toHaveProperty('DOTNET_EnableAVX2');
    expect(isaVariables('x86-64-v2', {})).toMatchObject({ DOTNET_EnableAVX2: '0', DOTNET_EnableBMI2: '0' });
    expect(isaVariables('x86-64-v4', {})).not.toHaveProperty('DOTNET_EnableAVX512F');
  });

  test('leave the C library and OpenSSL alone with native', () => {
    expect(Object.keys(isaVariables('native', {})).filter((name) => !name.startsWith('DOTNET_'))).toEqual([]);
  });

  test('yield to those of the user, and are named for the companion with what it is to put back', () => {
    const given = { DOTNET_EnableAVX2: '1', GLIBC_TUNABLES: 'glibc.malloc.arena_max=2' };
    const variables = isaVariables('x86-64-v2', given);
    expect(variables).not.toHaveProperty('DOTNET_EnableAVX2');
    expect(variables.GLIBC_TUNABLES).toMatch(/^glibc\.malloc\.arena_max=2:glibc\.cpu\.hwcaps=-/);
    const lines = variables.DOTNET_SNAPSHOT_ISA!.split('\n');
    expect(lines).toContain('GLIBC_TUNABLES=glibc.malloc.arena_max=2');
    expect(lines).toContain('OPENSSL_ia32cap');
    expect(lines).not.toContain('DOTNET_EnableAVX2');
  });
});

test('the launcher knows every feature that a manifest can list', () => {
  const known = new Set(readFileSync('runtime/launcher/cpu.c', 'utf8').match(/"[a-z0-9_]+"/g));
  const source = readFileSync('src/warmup/isa.ts', 'utf8');
  const listed = (architecture: string) => {
    const everything = source.match(/'[a-z0-9_]+'/g)!.map((name) => name.slice(1, -1));
    return ISAS.flatMap((isa) => cpuUsed(isa, {}, on(everything, architecture), true).features);
  };
  for (const name of [...listed('x86_64'), ...listed('aarch64')]) expect(known).toContain(`"${name}"`);
});
