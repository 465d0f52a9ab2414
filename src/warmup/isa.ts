import type { Manifest } from '../model/index.ts';

/** Values of the option `isa`, the lowest first. */
export const ISAS = ['x86-64-v2', 'x86-64-v3', 'x86-64-v4', 'native'] as const;

/** What an app is held to while it is warmed: a level of the x86-64 psABI, or whatever the build machine has. */
export type Isa = (typeof ISAS)[number];

/**
 * What each level of the x86-64 psABI adds, as /proc/cpuinfo names it. `xsave` is v3's, and listed with v2 because
 * signal frames hold a thread's registers in its form. runtime/launcher/cpu.c must know every name of this file.
 */
const V2 = ['cx16', 'lahf_lm', 'pni', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3', 'xsave'];
const V3 = ['abm', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe'];
const V4 = ['avx512bw', 'avx512cd', 'avx512dq', 'avx512f', 'avx512vl'];

/** In no level, but encryption is many times slower without, and nearly every server has them. */
const ENCRYPTION = ['aes', 'pclmulqdq'];

/** Beyond the levels: what .NET, glibc, OpenSSL or zlib-ng choose where the CPU has it. */
const AVX512_MORE = [
  ...['avx512_bf16', 'avx512_bitalg', 'avx512_fp16', 'avx512_vbmi2', 'avx512_vnni', 'avx512_vp2intersect'],
  ...['avx512_vpopcntdq', 'avx512ifma', 'avx512vbmi'],
];
const MORE = [
  ...['adx', 'avx_ifma', 'avx_vnni', 'fma4', 'gfni', 'rdrand', 'rdseed', 'rtm', 'serialize', 'sha_ni', 'vaes'],
  ...['vpclmulqdq', 'waitpkg', 'xop', 'xsavec', ...AVX512_MORE],
];

const BY_ISA: Record<Isa, string[]> = {
  'x86-64-v2': [...V2, ...ENCRYPTION],
  'x86-64-v3': [...V2, ...V3, ...ENCRYPTION],
  'x86-64-v4': [...V2, ...V3, ...V4, ...ENCRYPTION],
  native: [...V2, ...V3, ...V4, ...ENCRYPTION, ...MORE],
};

/** A variable that is read when a process or a library starts. */
interface Setting {
  value: string;
  /** What may be in use where the user has given the variable another value. */
  features: string[];
}

/**
 * The variables that hold a process to an instruction set. They don't depend on the machine: what it lacks is off
 * anyway, and each runtime, C library and architecture ignores the names of the others.
 */
function settings(isa: Isa): Record<string, Setting> {
  const below = (other: Isa) => ISAS.indexOf(isa) < ISAS.indexOf(other);
  const off = (features: string[], ...names: string[]) =>
    Object.fromEntries(names.map((name) => [`DOTNET_Enable${name}`, { value: '0', features }]));
  return {
    // No name in /proc/cpuinfo that a launcher could ask for, or code that is compiled for one length of vectors.
    ...off([], 'AVX10v1', 'AVX10v2', 'APX', 'AVXVNNIINT', 'Arm64Sve', 'Arm64Sve2'),
    ...(below('native') && {
      ...off(AVX512_MORE, 'AVX512v2', 'AVX512v3', 'AVX512VBMI', 'AVX512VP2INTERSECT'),
      ...off(['avx_vnni'], 'AVXVNNI'),
      ...off(['avx_ifma'], 'AVXIFMA'),
      ...off(['gfni'], 'GFNI'),
      ...off(['sha_ni'], 'SHA'),
      ...off(['vaes', 'vpclmulqdq'], 'VAES'),
      ...off(['waitpkg'], 'WAITPKG'),
      ...off(['serialize'], 'X86Serialize'),
      // The GC sorts by AVX2 (1) and AVX-512 (2), whatever the JIT may use.
      DOTNET_GCEnabledInstructionSets: {
        value: below('x86-64-v3') ? '0' : below('x86-64-v4') ? '1' : '3',
        features: ['avx2', 'avx512f', 'avx512dq'],
      },
      [TUNABLES]: { value: `glibc.cpu.hwcaps=${glibcWithout(isa)}`, features: BY_ISA.native },
      OPENSSL_ia32cap: { value: opensslMask(isa), features: BY_ISA.native },
      // glibc binds functions late through XSAVEC, in a frame whose size is the build machine's.
      LD_BIND_NOW: { value: '1', features: ['xsavec'] },
    }),
    ...(below('x86-64-v4') && off([...V4, ...AVX512_MORE], 'AVX512', 'AVX512F')),
    ...(below('x86-64-v3') && off(V3, 'AVX', 'AVX2', 'FMA', 'BMI1', 'BMI2', 'LZCNT', 'MOVBE')),
  };
}

const TUNABLES = 'GLIBC_TUNABLES';

/** What glibc's choice of functions must leave out, under the names of 2.33 and newer, and of older ones. */
function glibcWithout(isa: Isa): string {
  const names = ['RTM', 'FMA4', 'FMA4_Usable', 'AVX512ER', 'AVX512PF'];
  if (isa !== 'x86-64-v4')
    names.push('AVX512F', 'AVX512BW', 'AVX512CD', 'AVX512DQ', 'AVX512VL', 'AVX512F_Usable', 'AVX512DQ_Usable');
  if (isa === 'x86-64-v2')
    // The last one alone lets memcpy use AVX, whatever AVX itself says.
    names.push(
      'AVX',
      'AVX2',
      'BMI1',
      'BMI2',
      'FMA',
      'LZCNT',
      'MOVBE',
      'AVX_Usable',
      'AVX2_Usable',
      'FMA_Usable',
      'AVX_Fast_Unaligned_Load',
    );
  return names.map((name) => `-${name}`).join(',');
}

/** Clears bits of what OpenSSL reads from cpuid: leaf 1 (EDX, ECX), then leaf 7 (EBX, ECX), then whatever newer ones read. */
function opensslMask(isa: Isa): string {
  const all = (1n << 64n) - 1n;
  const bits = (...numbers: number[]) => numbers.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
  const [xop, fma, movbe, avx, f16c, rdrand] = [43, 44, 54, 60, 61, 62];
  const first = isa === 'x86-64-v2' ? bits(xop, fma, movbe, avx, f16c, rdrand) : bits(xop, rdrand);
  const [bmi1, avx2, bmi2, avx512f, avx512dq, avx512cd, avx512bw, avx512vl] = [3, 5, 8, 16, 17, 28, 30, 31];
  const v3 = bits(bmi1, avx2, bmi2);
  const v4 = v3 | bits(avx512f, avx512dq, avx512cd, avx512bw, avx512vl);
  const kept = { 'x86-64-v2': 0n, 'x86-64-v3': v3, 'x86-64-v4': v4, native: all }[isa];
  return [first, all & ~kept, all, all, all].map((mask) => `~0x${mask.toString(16)}`).join(':');
}

/**
 * Variables for the warming container that hold the app to `isa`. `given` is what image and user set: their values
 * stay, and GLIBC_TUNABLES that say nothing of the CPU are joined with ours. The last one tells the companion what the
 * app's own environment is to have in their place, a line each: `NAME=VALUE`, or `NAME` for none.
 */
export function isaVariables(isa: Isa, given: Record<string, string>): Record<string, string> {
  const ours = Object.entries(settings(isa)).filter(([name, { value }]) => !takesBack(name, value, given));
  const join = (name: string, value: string) => (given[name] ? `${given[name]}:${value}` : value);
  return {
    ...Object.fromEntries(ours.map(([name, { value }]) => [name, name === TUNABLES ? join(name, value) : value])),
    DOTNET_SNAPSHOT_ISA: ours.map(([name]) => (given[name] ? `${name}=${given[name]}` : name)).join('\n'),
  };
}

/** Whether what image or user set stands against a setting of ours. */
function takesBack(name: string, value: string, given: Record<string, string>): boolean {
  const own = given[name];
  if (own === undefined || own === value) return false;
  return name !== TUNABLES || (own.includes('glibc.cpu.hwcaps') && !own.endsWith(value));
}

/** What zlib-ng chooses by, which .NET has from 9 on and no setting holds; only where the companion can't make it choose anew. */
const COMPRESSION = [...V3, ...V4, 'avx512_vnni', 'vpclmulqdq'];

/** Of arm64, what .NET, glibc and OpenSSL choose by, and what signs return addresses. */
const ARM64 = [
  ...['aes', 'asimd', 'asimddp', 'asimdrdm', 'atomics', 'crc32', 'fp', 'ilrcpc', 'lrcpc', 'mops', 'paca', 'pacg'],
  ...['pmull', 'rng', 'sha1', 'sha2', 'sha3', 'sha512', 'sm3', 'sm4', 'sve', 'sve2', 'uscat'],
];

/**
 * What a snapshot may use that was warmed with `isa`: never more than its machine has, and more than the level where
 * `given`, what image and user set, takes a setting back. `isa` is then what was used: a lower level where the machine
 * does not reach the one that was asked for, and `native` where it reaches none, as on arm64.
 */
export function cpuUsed(
  isa: Isa,
  given: Record<string, string>,
  host: Pick<Manifest['host'], 'architecture' | 'cpuFeatures'>,
  choosesAnew: boolean,
): NonNullable<Manifest['cpu']> {
  const has = new Set(host.cpuFeatures);
  const those = (names: Iterable<string>) => [...new Set(names)].filter((name) => has.has(name)).sort();
  // The launcher's own names; runtime/launcher/cpu.c tells what they stand for.
  const unnamed = host.cpuFeatures.filter((name) => /^(cache|pac|zva)-/.test(name));
  if (host.architecture !== 'x86_64') return { isa: 'native', features: those([...ARM64, ...unnamed]) };
  const reaches = (level: Isa) => BY_ISA[level].every((name) => has.has(name) || ENCRYPTION.includes(name));
  const used =
    isa === 'native' || reaches(isa) ? isa : ((['x86-64-v3', 'x86-64-v2'] as const).find(reaches) ?? 'native');
  const takenBack = Object.entries(settings(isa)).flatMap(([name, { value, features }]) =>
    takesBack(name, value, given) ? features : [],
  );
  return { isa: used, features: those([...BY_ISA[used], ...takenBack, ...(choosesAnew ? [] : COMPRESSION)]) };
}
