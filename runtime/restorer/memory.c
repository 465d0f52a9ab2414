#define _GNU_SOURCE
#include "restorer.h"

#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NO_FILE = -1, MOST_VECTORS = 1024, DROPPABLE = 0x8 };

/* What one call reads at the most, so that its result fits everywhere. */
static const uint64_t most_bytes = 1 << 30;

struct own_memory own;

static void add(struct range *ranges, int *count, uint64_t start, uint64_t end) {
  if (*count && ranges[*count - 1].end == start) ranges[*count - 1].end = end;
  else if (*count == 64) give_up("DS5002 the launcher's own memory has too many parts");
  else ranges[(*count)++] = (struct range){start, end};
}

static void add_data(uint64_t start, uint64_t end) {
  if (own.vvar_count == 8 || (own.vvar_count && own.vvar.end != start)) give_up("DS5006 this kernel's vdso has its data in an unknown order");
  own.vvars[own.vvar_count++] = (struct range){start, end};
  own.vvar = (struct range){own.vvars[0].start, end};
}

void look_at_own_memory(void) {
  static char text[16384];
  size_t length = 0;
  ssize_t got;
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && length < sizeof text - 1 && (got = read(fd, text + length, sizeof text - 1 - length)) > 0) length += got;
  if (fd < 0 || length == sizeof text - 1 || !length) give_up("DS5002 /proc/self/maps can't be read: %s", strerror(errno));
  close(fd);
  for (char *line = text, *end; *line; line = end + 1) {
    end = strchr(line, '\n');
    if (!end) break;
    *end = 0;
    char *rest;
    uint64_t start = strtoull(line, &rest, 16), stop = strtoull(rest + 1, &rest, 16);
    if (strstr(line, "[vsyscall]")) continue;
    if (strstr(line, "[vdso]")) own.vdso = (struct range){start, stop};
    else if (strstr(line, "[vvar")) add_data(start, stop);
    else if (start >= LOW_END) add(own.high, &own.high_count, start, stop);
    else add(own.low, &own.low_count, start, stop);
  }
  if (own.vvar.end && own.vvar.end != own.vdso.start) give_up("DS5006 this kernel's vdso is not where its data are");
}

/* The file of the step before is kept open: libraries are mapped in several parts. */
static int open_mapped(const struct plan *plan, const struct step *step) {
  static int fd = NO_FILE;
  static uint32_t path, writable;
  uint32_t wanted = step->flags & MAP_SHARED && step->prot & PROT_WRITE;
  if (fd != NO_FILE && path == step->source && writable == wanted) return fd;
  if (fd != NO_FILE) call(SYS_close, fd);
  fd = call(SYS_openat, AT_FDCWD, text_of(plan, step->source), (wanted ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (failed(fd)) give_up("DS5008 %s, which the app has mapped, can't be opened: %s", text_of(plan, step->source), strerror(-fd));
  path = step->source;
  writable = wanted;
  return fd;
}

static void map(const struct step *step, int fd, uint64_t offset) {
  long result = call(SYS_mmap, step->start, step->bytes, step->prot, step->flags, fd, offset);
  /* Kernels before 6.11 have no droppable memory; it holds nothing, and then the system call takes the place of what used it. */
  if (result == -EINVAL && (step->flags & MAP_TYPE) == DROPPABLE)
    result = call(SYS_mmap, step->start, step->bytes, step->prot, (step->flags & ~MAP_TYPE) | MAP_PRIVATE, fd, offset);
  if (result == (long)step->start) return;
  if (!failed(result)) result = -EINVAL;
  give_up("%s memory at %llx can't be mapped (%llu bytes, kind %u): %s", result == -ENOMEM ? "DS5009" : "DS5002", (unsigned long long)step->start,
          (unsigned long long)step->bytes, step->kind, strerror(-result));
}

/* To record, what is asked for is read page by page; what is in the page cache already would be mapped beside it. */
static void map_file(const struct restoration *work, const struct step *step, int fd) {
  if (work->record) call(SYS_fadvise64, fd, step->offset, step->bytes, POSIX_FADV_DONTNEED);
  map(step, fd, step->offset);
  if (work->record) call(SYS_madvise, step->start, step->bytes, MADV_RANDOM);
}

static void take(const struct restoration *work, const struct step *step) {
  long result = 0;
  switch (step->kind) {
    case S_ANONYMOUS: map(step, NO_FILE, 0); break;
    case S_PAGES: map_file(work, step, work->pages); break;
    case S_FILE: map_file(work, step, open_mapped(work->plan, step)); break;
    case S_DESCRIPTOR: map_file(work, step, step->source); break;
    case S_OBJECT: map(step, object_descriptor(step->source), step->offset); break;
    case S_PROTECT: result = call(SYS_mprotect, step->start, step->bytes, step->prot); break;
    case S_ADVISE: result = call(SYS_madvise, step->start, step->bytes, step->flags); break;
    case S_LOCK: result = call(SYS_mlock, step->start, step->bytes); break;
  }
  if (!failed(result) || (step->kind == S_ADVISE && step->source)) return;
  if (step->kind == S_LOCK) give_up("DS5009 %llu bytes can't be locked in memory, as the app had them: %s (--ulimit memlock)", (unsigned long long)step->bytes, strerror(-result));
  give_up("DS5002 memory at %llx can't be set as the app had it (%s, %u): %s", (unsigned long long)step->start,
          step->kind == S_PROTECT ? "protection" : "advice", step->kind == S_PROTECT ? step->prot : step->flags, strerror(-result));
}

/* All of them lie one after the other in the pages file, so that few calls read them. */
static void fill(const struct restoration *work) {
  const struct plan *plan = work->plan;
  /* Not const: what a call has read in part is cut off. The mapping is private. */
  struct iovec *vectors = (struct iovec *)ENTRIES(plan, FILLS, struct fill);
  uint64_t offset = plan->fill_offset;
  for (uint32_t first = 0; first < COUNT(plan, FILLS);) {
    uint32_t count = 0;
    uint64_t bytes = 0;
    while (first + count < COUNT(plan, FILLS) && count < MOST_VECTORS && (!count || bytes + vectors[first + count].iov_len <= most_bytes))
      bytes += vectors[first + count++].iov_len;
    long got = call(SYS_preadv, work->pages, vectors + first, count, offset, offset >> 32 >> 32);
    if (got == 0) got = -EIO;
    if (got == -EINTR) continue;
    if (failed(got)) give_up("%s the app's memory can't be filled: %s", got == -ENOMEM || got == -EFAULT ? "DS5009" : "DS5007", strerror(-got));
    offset += got;
    while (first < COUNT(plan, FILLS) && (uint64_t)got >= vectors[first].iov_len) got -= vectors[first++].iov_len;
    if (got) {
      vectors[first].iov_base = (char *)vectors[first].iov_base + got;
      vectors[first].iov_len -= got;
    }
  }
}

void replace_memory(const struct restoration *work) {
  const struct plan *plan = work->plan;
  for (int i = 0; i < own.high_count; i++) {
    long result = call(SYS_munmap, own.high[i].start, own.high[i].end - own.high[i].start);
    if (failed(result)) give_up("DS5002 the launcher's own memory can't be unmapped: %s", strerror(-result));
  }
  place_vdso(work);
  for (uint32_t i = 0; i < COUNT(plan, STEPS); i++) take(work, &ENTRIES(plan, STEPS, struct step)[i]);
  note(MEMORY_MAPPED);
  fill(work);
  for (uint32_t i = 0; i < COUNT(plan, LATE_STEPS); i++) take(work, &ENTRIES(plan, LATE_STEPS, struct step)[i]);
  note(MEMORY_FILLED);
}
