/*
 * What the CPU and the kernel can do, under the names of /proc/cpuinfo. No file is read: the answer is that of the
 * instruction `cpuid` with `xgetbv`, and on arm64 of the hwcaps that the kernel hands to each program.
 *
 *   const char *missing_cpu_features(const char *needed);
 *     Those of the space-separated `needed` that are missing here, in their order, as one string, good until the next
 *     call; NULL where nothing is missing. A name that is not in the table counts as missing.
 *   const char *highest_isa(void);
 *     The highest value of the input `isa` whose snapshots can run here: x86-64-v4, x86-64-v3 or x86-64-v2; NULL where
 *     there is none, and on arm64. It is the setting to name where a snapshot is refused.
 *   const char *unnamed_features(void);
 *     On arm64, a space before each: names of our own for what the hwcaps don't tell and a snapshot depends on, how caches
 *     are kept coherent and addresses are signed. Elsewhere an empty text.
 *
 * src/warmup/isa.ts lists the same names: what it writes into a manifest, this file must know.
 */
#define _GNU_SOURCE
#include "launcher.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

enum reg { EAX, EBX, ECX, EDX };

/* What the kernel must save at a task switch for the registers to be of use (XCR0). */
enum { NONE = 0, YMM = 0x6, ZMM = 0xe6, TILES = 0x60000 };

static const struct feature {
  const char *name;
  unsigned leaf, subleaf;
  enum reg reg;
  unsigned bit, state;
} features[] = {
    {"pni", 1, 0, ECX, 0, NONE},
    {"pclmulqdq", 1, 0, ECX, 1, NONE},
    {"ssse3", 1, 0, ECX, 9, NONE},
    {"fma", 1, 0, ECX, 12, YMM},
    {"cx16", 1, 0, ECX, 13, NONE},
    {"sse4_1", 1, 0, ECX, 19, NONE},
    {"sse4_2", 1, 0, ECX, 20, NONE},
    {"movbe", 1, 0, ECX, 22, NONE},
    {"popcnt", 1, 0, ECX, 23, NONE},
    {"aes", 1, 0, ECX, 25, NONE},
    {"xsave", 1, 0, ECX, 27, NONE}, /* OSXSAVE: the kernel's part, too */
    {"avx", 1, 0, ECX, 28, YMM},
    {"f16c", 1, 0, ECX, 29, YMM},
    {"rdrand", 1, 0, ECX, 30, NONE},
    {"fsgsbase", 7, 0, EBX, 0, NONE},
    {"bmi1", 7, 0, EBX, 3, NONE},
    {"avx2", 7, 0, EBX, 5, YMM},
    {"bmi2", 7, 0, EBX, 8, NONE},
    {"erms", 7, 0, EBX, 9, NONE},
    {"rtm", 7, 0, EBX, 11, NONE},
    {"avx512f", 7, 0, EBX, 16, ZMM},
    {"avx512dq", 7, 0, EBX, 17, ZMM},
    {"rdseed", 7, 0, EBX, 18, NONE},
    {"adx", 7, 0, EBX, 19, NONE},
    {"avx512ifma", 7, 0, EBX, 21, ZMM},
    {"avx512cd", 7, 0, EBX, 28, ZMM},
    {"sha_ni", 7, 0, EBX, 29, NONE},
    {"avx512bw", 7, 0, EBX, 30, ZMM},
    {"avx512vl", 7, 0, EBX, 31, ZMM},
    {"avx512vbmi", 7, 0, ECX, 1, ZMM},
    {"ospke", 7, 0, ECX, 4, NONE},
    {"waitpkg", 7, 0, ECX, 5, NONE},
    {"avx512_vbmi2", 7, 0, ECX, 6, ZMM},
    {"gfni", 7, 0, ECX, 8, NONE},
    {"vaes", 7, 0, ECX, 9, YMM},
    {"vpclmulqdq", 7, 0, ECX, 10, YMM},
    {"avx512_vnni", 7, 0, ECX, 11, ZMM},
    {"avx512_bitalg", 7, 0, ECX, 12, ZMM},
    {"avx512_vpopcntdq", 7, 0, ECX, 14, ZMM},
    {"rdpid", 7, 0, ECX, 22, NONE},
    {"fsrm", 7, 0, EDX, 4, NONE},
    {"avx512_vp2intersect", 7, 0, EDX, 8, ZMM},
    {"serialize", 7, 0, EDX, 14, NONE},
    {"amx_bf16", 7, 0, EDX, 22, TILES},
    {"avx512_fp16", 7, 0, EDX, 23, ZMM},
    {"amx_tile", 7, 0, EDX, 24, TILES},
    {"amx_int8", 7, 0, EDX, 25, TILES},
    {"avx_vnni", 7, 1, EAX, 4, YMM},
    {"avx512_bf16", 7, 1, EAX, 5, ZMM},
    {"avx_ifma", 7, 1, EAX, 23, YMM},
    {"xsaveopt", 0xd, 1, EAX, 0, NONE},
    {"xsavec", 0xd, 1, EAX, 1, NONE},
    {"xgetbv1", 0xd, 1, EAX, 2, NONE},
    {"lahf_lm", 0x80000001, 0, ECX, 0, NONE},
    {"abm", 0x80000001, 0, ECX, 5, NONE},
    {"sse4a", 0x80000001, 0, ECX, 6, NONE},
    {"xop", 0x80000001, 0, ECX, 11, YMM},
    {"fma4", 0x80000001, 0, ECX, 16, YMM},
};

/* One leaf of cpuid, read once: in a virtual machine the instruction is an exit to the hypervisor, of microseconds. */
struct leaf {
  unsigned leaf, subleaf, regs[4];
  int is_read;
};

static const unsigned *read_leaf(unsigned leaf, unsigned subleaf) {
  static struct leaf leaves[8];
  struct leaf *found = leaves;
  while (found->is_read && (found->leaf != leaf || found->subleaf != subleaf)) found++;
  if (!found->is_read) {
    *found = (struct leaf){.leaf = leaf, .subleaf = subleaf, .is_read = 1};
    unsigned *regs = found->regs;
    /* What a CPU answers to a leaf that it does not have is arbitrary. 1 and 0x80000001 are in every x86-64. */
    if ((leaf != 7 && leaf != 0xd) || (read_leaf(0, 0)[EAX] >= leaf && !(leaf == 7 && subleaf && !read_leaf(7, 0)[EAX])))
      __cpuid_count(leaf, subleaf, regs[EAX], regs[EBX], regs[ECX], regs[EDX]);
  }
  return found->regs;
}

/* The states that the kernel saves; 0 where it has not switched XSAVE on. */
static unsigned saved_states(void) {
  unsigned low, high;
  if (!(read_leaf(1, 0)[ECX] & (1u << 27))) return 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int has(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
    const struct feature *known = &features[i];
    if (!strncmp(known->name, name, length) && !known->name[length])
      return (read_leaf(known->leaf, known->subleaf)[known->reg] >> known->bit & 1) &&
             (!known->state || (saved_states() & known->state) == known->state);
  }
  return 0;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

/* In the order of the bits of AT_HWCAP and AT_HWCAP2: the kernel's arch/arm64/include/uapi/asm/hwcap.h. */
static const char *const hwcap[] = {
    "fp",    "asimd", "evtstrm", "aes",     "pmull", "sha1",    "sha2",    "crc32", "atomics", "fphp", "asimdhp",
    "cpuid", "asimdrdm", "jscvt", "fcma",   "lrcpc", "dcpop",   "sha3",    "sm3",   "sm4",     "asimddp", "sha512",
    "sve",   "asimdfhm", "dit",  "uscat",   "ilrcpc", "flagm",  "ssbs",    "sb",    "paca",    "pacg"};
static const char *const hwcap2[] = {
    "dcpodp", "sve2",   "sveaes", "svepmull", "svebitperm", "svesha3", "svesm4", "flagm2", "frint", "svei8mm", "svef32mm",
    "svef64mm", "svebf16", "i8mm", "bf16",    "dgh",        "rng",     "bti",    "mte",    "ecv",   "afp",     "rpres",
    [43] = "mops"};

static int find(const char *const *names, size_t count, unsigned long bits, const char *name, size_t length) {
  for (size_t i = 0; i < count; i++)
    if (names[i] && !strncmp(names[i], name, length) && !names[i][length]) return bits >> i & 1;
  return 0;
}

/* What the kernel lets programs read of the CPU; the identification registers only where hwcaps have "cpuid". */
#define READ(name, value) __asm__("mrs %0, " name : "=r"(value))

/* libgcc asks once how caches are kept coherent, and glibc how much one instruction clears: a restored app goes by that. */
struct caches {
  unsigned data_coherent, code_coherent, data_line, code_line;
};

static struct caches caches_here(void) {
  unsigned long ctr;
  READ("ctr_el0", ctr);
  return (struct caches){ctr >> 28 & 1, ctr >> 29 & 1, ctr >> 16 & 0xf, ctr & 0xf};
}

/* Whether code that was written is seen here by who makes it seen for those caches. */
static int suits(struct caches there) {
  const struct caches here = caches_here();
  int data = here.data_coherent || (!there.data_coherent && here.data_line >= there.data_line);
  int code = here.code_coherent || (!there.code_coherent && here.code_line >= there.code_line);
  return data && code;
}

/* ` pac-ALGORITHM-BIT`: what signs addresses, and the lowest bit of the signature, which the kernel's address space leaves. */
static int write_signing(char *text, size_t room) {
  unsigned long isar1, isar2, midr, mask = 0;
  if ((getauxval(AT_HWCAP) & (HWCAP_PACA | HWCAP_CPUID)) != (HWCAP_PACA | HWCAP_CPUID)) return 0;
  READ("s3_0_c0_c6_1", isar1);
  READ("s3_0_c0_c6_2", isar2);
  READ("s3_0_c0_c0_0", midr);
  for (unsigned long i = 0; i < 64; i++) {
    register unsigned long address __asm__("x17") = 0x1000;
    register unsigned long modifier __asm__("x16") = i * 0x9e3779b97f4a7c15;
    __asm__("hint #8" : "+r"(address) : "r"(modifier)); /* pacia1716 */
    mask |= address ^ 0x1000;
  }
  char algorithm[24] = "qarma5";
  if (!(isar1 >> 4 & 0xf)) snprintf(algorithm, sizeof algorithm, "%s", "qarma3");
  if (!(isar1 >> 4 & 0xf) && !(isar2 >> 12 & 0xf)) snprintf(algorithm, sizeof algorithm, "%lx.%lx", midr >> 24 & 0xff, midr >> 4 & 0xfff);
  return snprintf(text, room, " pac-%s-%d", algorithm, mask ? __builtin_ctzl(mask) : 0);
}

const char *unnamed_features(void) {
  static char text[128];
  if (*text) return text;
  const struct caches here = caches_here();
  unsigned long zva;
  READ("dczid_el0", zva);
  int used = snprintf(text, sizeof text, " cache-%u.%u.%u.%u zva-%lu", here.data_coherent, here.code_coherent, here.data_line, here.code_line, zva & 0x1f);
  write_signing(text + used, sizeof text - used);
  return text;
}

static int has(const char *name, size_t length) {
  struct caches there;
  char word[64];
  if (sscanf(name, "cache-%u.%u.%u.%u", &there.data_coherent, &there.code_coherent, &there.data_line, &there.code_line) == 4) return suits(there);
  if (!strncmp(name, "zva-", 4) || !strncmp(name, "pac-", 4)) {
    int written = snprintf(word, sizeof word, " %.*s", (int)length, name);
    const char *found = strstr(unnamed_features(), word);
    return found && (!found[written] || found[written] == ' ');
  }
  return find(hwcap, sizeof hwcap / sizeof *hwcap, getauxval(AT_HWCAP), name, length) ||
         find(hwcap2, sizeof hwcap2 / sizeof *hwcap2, getauxval(AT_HWCAP2), name, length);
}

#else
#error "the names of this architecture's features are not known"
#endif

const char *missing_cpu_features(const char *needed) {
  static char missing[2048];
  size_t used = 0;
  for (const char *name = needed + strspn(needed, " "); *name; name += strspn(name, " ")) {
    int length = strcspn(name, " ");
    if (!has(name, length) && used < sizeof missing)
      used += snprintf(missing + used, sizeof missing - used, "%s%.*s", used ? " " : "", length, name);
    name += length;
  }
  return used ? missing : NULL;
}

#if defined(__x86_64__)
/* XSAVE is v3's, but the signal frames of a plan hold registers in its form. */
#define V2 "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 xsave"
#define V3 V2 " abm avx avx2 bmi1 bmi2 f16c fma movbe"
#define V4 V3 " avx512f avx512bw avx512cd avx512dq avx512vl"
#endif

#if !defined(__aarch64__)
const char *unnamed_features(void) { return ""; }
#endif

const char *highest_isa(void) {
#if defined(__x86_64__)
  static const struct { const char *isa, *features; } levels[] = {{"x86-64-v4", V4}, {"x86-64-v3", V3}, {"x86-64-v2", V2}};
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
    if (!missing_cpu_features(levels[i].features)) return levels[i].isa;
#endif
  return NULL;
}
