/*
 * The vdso: code that the kernel maps into each process, whose functions the app has already looked up.
 *
 * Where this kernel's vdso is the very one of the checkpoint, it is moved to where the app had it. Otherwise the app gets
 * the code of the checkpoint's kernel back at that place, for it holds pointers into it, and the beginning of each
 * function is overwritten by a jump to this kernel's function of that name, or by the system call that it stands for.
 */
#define _GNU_SOURCE
#include "restorer.h"

#include "../launcher/launcher.h"
#include "system.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* In low memory, and not used by anything else: this kernel's vdso stays here where the app has another one. */
static const uint64_t low_place = PLAN_BASE - 0x1000000;

static const struct {
  const char *name;
  long number; /* of the system call; -1: the code works on any kernel as it is */
  int never_jump;
} functions[] = {
#if defined(__x86_64__)
    {"__vdso_clock_gettime", SYS_clock_gettime, 0},
    {"__vdso_gettimeofday", SYS_gettimeofday, 0},
    {"__vdso_time", SYS_time, 0},
    {"__vdso_getcpu", SYS_getcpu, 0},
    {"__vdso_clock_getres", SYS_clock_getres, 0},
    /* Its state lies in memory that the app has laid out for the kernel of the checkpoint. */
    {"__vdso_getrandom", SYS_getrandom, 1},
    {"__vdso_sgx_enter_enclave", -1, 0},
#else
    {"__kernel_clock_gettime", SYS_clock_gettime, 0},
    {"__kernel_gettimeofday", SYS_gettimeofday, 0},
    {"__kernel_clock_getres", SYS_clock_getres, 0},
    {"__kernel_getrandom", SYS_getrandom, 1},
    {"__kernel_rt_sigreturn", -1, 0},
#endif
};

/* The address of a function in this kernel's vdso, which is mapped at `base`; 0 where it has none of that name. */
static uint64_t find_function(uint64_t base, const char *name) {
  const Elf64_Ehdr *elf = (const Elf64_Ehdr *)base;
  const Elf64_Phdr *programs = (const Elf64_Phdr *)(base + elf->e_phoff);
  uint64_t load = 0;
  const Elf64_Dyn *dynamic = NULL;
  for (int i = 0; i < elf->e_phnum; i++) {
    if (programs[i].p_type == PT_LOAD) load = base + programs[i].p_offset - programs[i].p_vaddr;
    if (programs[i].p_type == PT_DYNAMIC) dynamic = (const Elf64_Dyn *)(base + programs[i].p_offset);
  }
  const Elf64_Sym *symbols = NULL;
  const char *strings = NULL;
  for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
    if (dynamic->d_tag == DT_SYMTAB) symbols = (const Elf64_Sym *)(load + dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_STRTAB) strings = (const char *)(load + dynamic->d_un.d_ptr);
  }
  /* The kernel lays the strings behind the symbols, and states their number only in hash tables of two kinds. */
  for (const Elf64_Sym *symbol = symbols; symbols && strings && (const char *)(symbol + 1) <= strings; symbol++)
    if (symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && !strcmp(strings + symbol->st_name, name))
      return load + symbol->st_value;
  return 0;
}

#if defined(__x86_64__)
enum { JUMP_BYTES = 12, CALL_BYTES = 8 };

static void write_jump(uint8_t *at, uint64_t target) {
  at[0] = 0x48, at[1] = 0xb8; /* movabs target, %rax */
  memcpy(at + 2, &target, sizeof target);
  at[10] = 0xff, at[11] = 0xe0; /* jmp *%rax */
}

static void write_call(uint8_t *at, uint32_t number) {
  at[0] = 0xb8; /* mov number, %eax */
  memcpy(at + 1, &number, sizeof number);
  /* The fourth argument is in another register for the kernel, but none of these has four that count. */
  at[5] = 0x0f, at[6] = 0x05, at[7] = 0xc3; /* syscall; ret */
}
#else
enum { JUMP_BYTES = 16, CALL_BYTES = 12 };

static void write_jump(uint8_t *at, uint64_t target) {
  const uint32_t words[] = {0x58000050, 0xd61f0200}; /* ldr x16, .+8; br x16 */
  memcpy(at, words, sizeof words);
  memcpy(at + sizeof words, &target, sizeof target);
}

static void write_call(uint8_t *at, uint32_t number) {
  const uint32_t words[] = {0xd2800008 | number << 5, 0xd4000001, 0xd65f03c0}; /* mov x8, number; svc 0; ret */
  memcpy(at, words, sizeof words);
}
#endif

/* Overwrites one function of the old code, which is mapped at `code`. */
static void redirect(const struct plan *plan, const struct vdso_function *function, uint64_t code, uint64_t here) {
  const char *name = text_of(plan, function->name);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    const char *known = functions[i].name, *plain = strchr(known + 2, '_') + 1;
    /* x86 has each function under its plain name, too. */
    if (strcmp(name, known) && strcmp(name, plain)) continue;
    if (functions[i].number < 0) return;
    uint64_t target = functions[i].never_jump ? 0 : find_function(here, known);
    if (function->bytes < (target ? JUMP_BYTES : CALL_BYTES)) break;
    if (target) write_jump((uint8_t *)code + function->offset, target);
    else write_call((uint8_t *)code + function->offset, functions[i].number);
    return;
  }
  give_up("DS5006 the vdso of the checkpoint's kernel has a function %s that can't be replaced on this one", name);
}

static void move(struct range from, uint64_t to) {
  if (from.start == to || from.start == from.end) return;
  uint64_t bytes = from.end - from.start;
  long result = call(SYS_mremap, from.start, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  if (result != (long)to) give_up("DS5006 this kernel's vdso can't be moved: %s", strerror(failed(result) ? -result : EINVAL));
}

/* The data in one or several mappings, then the code. They keep their distance. */
static void move_all(uint64_t to) {
  uint64_t start = own.vvar.end ? own.vvar.start : own.vdso.start;
  int overlaps = start < to + (own.vdso.end - start) && to < own.vdso.end;
  if (overlaps && start != to) {
    move_all(low_place);
    start = low_place;
  }
  for (int i = 0; i < own.vvar_count; i++) move(own.vvars[i], to + (own.vvars[i].start - start));
  move(own.vdso, to + (own.vdso.start - start));
  for (int i = 0; i < own.vvar_count; i++) {
    uint64_t bytes = own.vvars[i].end - own.vvars[i].start, at = to + (own.vvars[i].start - start);
    own.vvars[i] = (struct range){at, at + bytes};
  }
  uint64_t data = own.vdso.start - start, code = own.vdso.end - own.vdso.start;
  own.vdso = (struct range){to + data, to + data + code};
  if (own.vvar.end) own.vvar = (struct range){to, to + data};
}

void place_vdso(const struct restoration *work) {
  const struct plan *plan = work->plan;
  if (!plan->vdso_bytes || !own.vdso.end) {
    if (plan->vdso_bytes) give_up("DS5006 this kernel gives programs no vdso, and the app has one");
    return;
  }
  uint64_t start = own.vvar.end ? own.vvar.start : own.vdso.start, code_bytes = own.vdso.end - own.vdso.start;
  if (own.vdso.end - start == plan->vdso_bytes && own.vdso.start - start == plan->vvar_bytes &&
      hash_bytes((const void *)own.vdso.start, code_bytes) == plan->vdso_hash) {
    move_all(plan->vdso_start);
    return;
  }
  if (plan->flags & INSIDE_VDSO) give_up("DS5006 a thread was inside the vdso at the checkpoint, and this kernel has another vdso");
  if (!COUNT(plan, VDSO)) give_up("DS5006 this kernel has another vdso than the checkpoint's, whose code is not in the snapshot");
  move_all(low_place);
  uint64_t code = plan->vdso_start + plan->vvar_bytes, bytes = plan->vdso_bytes - plan->vvar_bytes;
  long result = call(SYS_mmap, code, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, work->pages, plan->vdso_offset);
  if (result != (long)code) give_up("DS5002 the vdso of the checkpoint can't be mapped: %s", strerror(failed(result) ? -result : EINVAL));
  for (uint32_t i = 0; i < COUNT(plan, VDSO); i++) redirect(plan, &ENTRIES(plan, VDSO, struct vdso_function)[i], code, own.vdso.start);
  result = call(SYS_mprotect, code, bytes, PROT_READ | PROT_EXEC);
  if (failed(result)) give_up("DS5002 the vdso of the checkpoint can't be protected: %s", strerror(-result));
#if defined(__aarch64__)
  __builtin___clear_cache((char *)code, (char *)code + bytes);
#endif
}
