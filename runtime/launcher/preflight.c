#define _GNU_SOURCE
#include "../restorer/plan.h"
#include "launcher.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The oldest with all system calls that the restore engine uses (close_range). */
enum { MAJOR = 5, MINOR = 9 };

static const char *refuse_kernel(const struct plan *plan) {
  (void)plan;
  struct utsname system;
  int major = 0, minor = 0;
  uname(&system);
  sscanf(system.release, "%d.%d", &major, &minor);
  if (major < MAJOR || (major == MAJOR && minor < MINOR))
    return because("DS5006 the kernel is %s, a restore needs Linux %d.%d or newer", system.release, MAJOR, MINOR);
  return NULL;
}

static const char *refuse_cpu(const struct plan *plan) {
  char lacking[512];
  const char *missing = missing_cpu_features(text_of(plan, plan->cpu)), *portable;
  if (!missing) return NULL;
  snprintf(lacking, sizeof lacking, "%s", missing);
  portable = highest_isa();
  return because("DS5006 the CPU lacks %s, which the snapshot may use (isa %s)%s%s", lacking, text_of(plan, plan->isa),
                 portable ? "; to restore here, build with isa " : "", portable ? portable : "");
}

/* The number that a file begins with, or follows `label` in it; -1 where there is none. */
static long long read_number(const char *path, const char *label) {
  char text[4096], *found = text;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return -1;
  text[length] = 0;
  if (label && !(found = strstr(text, label))) return -1;
  if (label) found += strlen(label);
  char *end;
  long long number = strtoll(found, &end, 10);
  return end == found ? -1 : number;
}

static const char *refuse_memory(const struct plan *plan) {
  const long long mebibyte = 1024 * 1024, needed = ((long long)plan->memory + mebibyte - 1) / mebibyte;
  /* `max`, where there is no limit, is no number. */
  long long limit = read_number("/sys/fs/cgroup/memory.max", NULL);
  if (limit < 0) limit = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", NULL);
  if (limit >= 0 && limit < (long long)plan->memory)
    return because("DS5009 the container may use %lld MiB of memory, the snapshot's pages are %lld MiB (--memory)",
                   limit / mebibyte, needed);
  long long available = read_number("/proc/meminfo", "MemAvailable:");
  if (available >= 0 && available * 1024 < (long long)plan->memory)
    return because("DS5009 the machine has %lld MiB of memory left, the snapshot's pages are %lld MiB", available / 1024, needed);
  return NULL;
}

const char *preflight(const struct plan *plan) {
  /* In this order a reason is the cause, not a consequence of another. */
  static const char *(*const checks[])(const struct plan *) = {refuse_kernel, refuse_cpu, refuse_memory};
  const char *reason = NULL;
  for (unsigned i = 0; i < sizeof checks / sizeof *checks && !reason; i++) reason = checks[i](plan);
  return reason;
}
