#define _GNU_SOURCE
#include "plan.h"

#include "../launcher/launcher.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#else
enum { MACHINE = EM_AARCH64 };
#endif

static const uint32_t sizes[SECTIONS] = {
    [TEXT] = 1,
    [COMMAND] = sizeof(text_at),
    [FILES] = sizeof(struct app_file),
    [DESCRIPTORS] = sizeof(struct descriptor),
    [COPIES] = sizeof(struct copy),
    [OPTIONS] = sizeof(struct option),
    [WATCHES] = sizeof(struct watch),
    [LOCKS] = sizeof(struct lock),
    [OBJECTS] = sizeof(struct object),
    [CONTENTS] = sizeof(struct content_run),
    [STEPS] = sizeof(struct step),
    [FILLS] = sizeof(struct fill),
    [LATE_STEPS] = sizeof(struct step),
    [THREADS] = sizeof(struct thread),
    [FRAMES] = 1,
    [ACTIONS] = sizeof(struct action),
    [PENDING] = sizeof(struct pending),
    [TIMERS] = sizeof(struct timer),
    [AUXV] = sizeof(uint64_t),
    [VDSO] = sizeof(struct vdso_function),
    [PREFETCH] = sizeof(struct prefetch),
    [KEPT] = sizeof(struct kept),
};

/* A plan that would be mapped over the program's end of low memory is none. */
enum { MOST_BYTES = 512 << 20, MOST_DESCRIPTORS = 1 << 20, MOST_THREADS = 1 << 16, ACTION_COUNT = 62 };

/* End of what a process may map on the machines that are supported, with 48-bit addresses. */
#if defined(__aarch64__)
static const uint64_t address_end = 0x1000000000000;
#else
static const uint64_t address_end = 0x7ffffffff000;
#endif

static int is_text(const struct plan *plan, text_at at) { return at < COUNT(plan, TEXT); }

static int is_record(const struct plan *plan, text_at at, size_t bytes) {
  return at % 8 == 0 && bytes <= COUNT(plan, TEXT) && at <= COUNT(plan, TEXT) - bytes;
}

static int is_pages(const struct plan *plan, uint64_t offset, uint64_t bytes) {
  return bytes <= plan->pages_bytes && offset <= plan->pages_bytes - bytes;
}

static int is_range(const struct plan *plan, uint64_t start, uint64_t bytes) {
  return bytes && start >= LOW_END && start % plan->page_size == 0 && bytes <= address_end && start <= address_end - bytes;
}

static int is_slice(uint32_t first, uint32_t count, uint32_t all) { return first <= all && count <= all - first; }

static int is_good_descriptor(const struct plan *plan, const struct descriptor *entry) {
  if (entry->fd >= plan->descriptors_end || entry->kind >= D_KINDS || !is_slice(entry->option, entry->options, COUNT(plan, OPTIONS))) return 0;
  switch (entry->kind) {
    case D_UNIX: return is_record(plan, entry->name, sizeof(struct unix_name)) && entry->a <= COUNT(plan, DESCRIPTORS);
    case D_INET: return is_record(plan, entry->name, sizeof(struct inet_name));
    case D_TIMER: return is_record(plan, entry->b, sizeof(struct timerfd_state)) && entry->b < COUNT(plan, TEXT);
    case D_INHERITED: return entry->extra < 4;
    case D_OBJECT: return entry->extra < COUNT(plan, OBJECTS);
    case D_PIPE: return entry->extra <= COUNT(plan, DESCRIPTORS) && is_pages(plan, entry->b, entry->c);
    case D_DELETED: return is_text(plan, entry->name) && is_pages(plan, entry->b, entry->c);
    default: return is_text(plan, entry->name);
  }
}

static int is_good_step(const struct plan *plan, const struct step *step) {
  if (!is_range(plan, step->start, step->bytes) || step->kind >= S_KINDS) return 0;
  switch (step->kind) {
    case S_PAGES: return step->offset % plan->page_size == 0 && is_pages(plan, step->offset, 1);
    case S_FILE: return is_text(plan, step->source);
    case S_DESCRIPTOR: return step->source < plan->descriptors_end;
    case S_OBJECT: return step->source < COUNT(plan, OBJECTS);
    default: return 1;
  }
}

#define EACH(section, type, condition)                                              \
  for (uint32_t i = 0; i < COUNT(plan, section); i++) {                             \
    const type *entry = &ENTRIES(plan, section, type)[i];                           \
    if (!(condition)) return because("DS5007 the restore plan is damaged: entry %u of " #section " is not possible", i); \
  }

static const char *check_entries(const struct plan *plan) {
  EACH(COMMAND, text_at, is_text(plan, *entry))
  EACH(FILES, struct app_file, is_text(plan, entry->path))
  EACH(DESCRIPTORS, struct descriptor, is_good_descriptor(plan, entry))
  EACH(DESCRIPTORS, struct descriptor, i == 0 || entry->fd > entry[-1].fd)
  EACH(COPIES, struct copy, entry->from < plan->descriptors_end && entry->to < plan->descriptors_end)
  EACH(WATCHES, struct watch, entry->epoll < plan->descriptors_end && entry->fd < plan->descriptors_end)
  EACH(LOCKS, struct lock, entry->fd < plan->descriptors_end && entry->kind <= LOCK_OF_DESCRIPTION)
  EACH(OBJECTS, struct object, is_text(plan, entry->name) && is_slice(entry->content, entry->contents, COUNT(plan, CONTENTS)))
  EACH(CONTENTS, struct content_run, is_pages(plan, entry->offset, entry->bytes))
  EACH(STEPS, struct step, is_good_step(plan, entry))
  EACH(LATE_STEPS, struct step, is_good_step(plan, entry))
  uint64_t filled = 0;
  EACH(FILLS, struct fill, is_range(plan, entry->address, entry->bytes) && (filled += entry->bytes) <= plan->pages_bytes)
  EACH(THREADS, struct thread, entry->tid && is_text(plan, entry->name) && (i == 0 ? entry->tid == plan->pid : entry->tid > entry[-1].tid))
  EACH(PENDING, struct pending, entry->signal >= 1 && entry->signal <= 64)
  EACH(VDSO, struct vdso_function, is_text(plan, entry->name) && entry->offset <= plan->vdso_bytes)
  EACH(PREFETCH, struct prefetch, is_text(plan, entry->path))
  EACH(KEPT, struct kept, is_text(plan, entry->path) && is_text(plan, entry->target) && entry->policy < KEPT_POLICIES && is_pages(plan, entry->offset, entry->bytes))
  if (!is_pages(plan, plan->fill_offset, filled)) return "DS5007 the restore plan is damaged: more is filled than there is";
  return NULL;
}

const char *check_plan(const void *start, size_t bytes) {
  const struct plan *plan = start;
  if (bytes < sizeof *plan || plan->magic != PLAN_MAGIC) return "DS5007 the restore plan is damaged: it is not a plan";
  if (plan->version != PLAN_VERSION)
    return because("DS5007 the restore plan is of version %u, this launcher reads version %u", plan->version, PLAN_VERSION);
  if (plan->size != bytes || bytes > MOST_BYTES) return because("DS5007 the restore plan is damaged: it has %zu bytes instead of %llu", bytes, (unsigned long long)plan->size);
  const size_t hashed = offsetof(struct plan, machine);
  if (hash_bytes((const char *)start + hashed, bytes - hashed) != plan->hash) return "DS5007 the restore plan is damaged: its content has changed";
  return check_meaning(plan);
}

const char *check_meaning(const struct plan *plan) {
  if (plan->machine != MACHINE) return "DS5006 the snapshot was made on another architecture than this machine's";
  if (plan->page_size != (uint32_t)sysconf(_SC_PAGESIZE))
    return because("DS5006 this kernel's pages have %ld bytes, those of the snapshot %u", sysconf(_SC_PAGESIZE), plan->page_size);
  for (int name = 0; name < SECTIONS; name++) {
    uint64_t offset = plan->sections[name].offset, needed = (uint64_t)plan->sections[name].count * sizes[name];
    if (offset % 8 || offset < sizeof *plan || offset + needed > plan->size) return because("DS5007 the restore plan is damaged: section %d is not inside", name);
  }
  uint32_t texts = COUNT(plan, TEXT);
  if (!texts || ENTRIES(plan, TEXT, char)[0] || ENTRIES(plan, TEXT, char)[texts - 1]) return "DS5007 the restore plan is damaged: its texts have no end";
  const text_at names[] = {plan->snapshot, plan->isa, plan->cpu, plan->program, plan->folder};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!is_text(plan, names[i])) return "DS5007 the restore plan is damaged: a text is not inside";
  uint64_t frames = (uint64_t)COUNT(plan, THREADS) * plan->frame_stride;
  if (!COUNT(plan, COMMAND) || !COUNT(plan, THREADS) || COUNT(plan, THREADS) > MOST_THREADS || COUNT(plan, ACTIONS) != ACTION_COUNT ||
      plan->frame_stride <= FRAME_STACK || plan->frame_stride % 16 || frames > COUNT(plan, FRAMES) || !plan->answer_ms ||
      plan->descriptors_end > MOST_DESCRIPTORS || COUNT(plan, AUXV) > 512)
    return "DS5007 the restore plan is damaged: it is not complete";
  if (plan->hot_bytes > plan->pages_bytes) return "DS5007 the restore plan is damaged: its hot part is larger than all pages";
  if (plan->vdso_bytes && (!is_range(plan, plan->vdso_start, plan->vdso_bytes) || plan->vvar_bytes >= plan->vdso_bytes ||
                           (COUNT(plan, VDSO) && !is_pages(plan, plan->vdso_offset, plan->vdso_bytes - plan->vvar_bytes))))
    return "DS5007 the restore plan is damaged: the vdso is not possible";
  return check_entries(plan);
}

const char *open_plan(const char *path, const struct plan **plan) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return because("DS5007 this image holds no snapshot: %s can't be opened (%s)", path, strerror(errno));
  void *mapped = MAP_FAILED;
  if (!fstat(fd, &status) && status.st_size >= (off_t)sizeof(struct plan) && status.st_size <= MOST_BYTES)
    mapped = mmap((void *)PLAN_BASE, status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, 0);
  close(fd);
  if (mapped != (void *)PLAN_BASE) return because("DS5007 the restore plan can't be used: %s has %lld bytes", path, (long long)status.st_size);
  *plan = mapped;
  return check_plan(mapped, status.st_size);
}
