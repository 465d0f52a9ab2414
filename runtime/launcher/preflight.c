#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

/* CAP_CHECKPOINT_RESTORE came with it. */
enum { MAJOR = 5, MINOR = 9 };

static const char *refuse_machine(const struct launch *launch) {
  struct utsname system;
  int major = 0, minor = 0;
  uname(&system);
  if (strcmp(system.machine, launch->architecture))
    return because("DS5006 this machine is %s, the snapshot was made on %s", system.machine, launch->architecture);
  sscanf(system.release, "%d.%d", &major, &minor);
  if (major < MAJOR || (major == MAJOR && minor < MINOR))
    return because("DS5006 the kernel is %s, a restore needs Linux %d.%d or newer", system.release, MAJOR, MINOR);
  return NULL;
}

static const char *refuse_cpu(const struct launch *launch) {
  char lacking[512];
  const char *missing = missing_cpu_features(launch->cpu), *portable;
  if (!missing) return NULL;
  snprintf(lacking, sizeof lacking, "%s", missing);
  portable = highest_isa();
  return because("DS5006 the CPU lacks %s, which the snapshot may use (isa %s)%s%s", lacking, launch->isa,
                 portable ? "; to restore here, build with isa " : "", portable ? portable : "");
}

static const char *refuse_identity(const struct launch *launch) {
  const char *here = identity();
  if (!strcmp(launch->identity, here)) return NULL;
  return because("DS5009 the container runs as user:group:groups %.200s, the app was checkpointed as %.200s", here, launch->identity);
}

static const char *refuse_capabilities(const struct launch *launch) {
  (void)launch;
  int in_bounding_set = 0;
  const char *name = grant_ambient_capabilities() ? "CHECKPOINT_RESTORE" : missing_capability(&in_bounding_set);
  if (!name) return NULL;
  if (!in_bounding_set) return because("DS5009 the container lacks the capability %s (--cap-add %s)", name, name);
  /* An init that carries no file capabilities runs first, and nothing may be gained after it. */
  if (getpid() != 1 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
    return because("DS5009 no-new-privileges withholds the capability %s, for the launcher is not the container's first program "
                   "(leave out --init: the launcher does what an init does)", name);
  return because("DS5009 the launcher's file has lost its capability %s; the image was copied without file capabilities", name);
}

/* The app's PID is chosen with clone3, which filters answer with ENOSYS or EPERM; or with ns_last_pid, where it is mounted writable. */
static const char *refuse_choice_of_pid(const struct launch *launch) {
  (void)launch;
  if (syscall(SYS_clone3, NULL, 0) < 0 && errno == EINVAL) return NULL;
  int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) return close(fd), NULL;
  return "DS5009 the container's seccomp profile forbids clone3, by which a restore chooses PIDs (--security-opt seccomp=runtime/seccomp.json)";
}

static const char *refuse_numbers(const struct launch *launch) {
  char *end;
  for (const char *rest = launch->tids; *rest; rest = end) {
    pid_t number = strtol(rest, &end, 10);
    if (end == rest) break;
    if (!kill(number, 0) || errno != ESRCH)
      return because("DS5009 PID %d is taken; a restore needs a PID namespace of the container's own (no --pid)", number);
  }
  return NULL;
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

static const char *refuse_memory(const struct launch *launch) {
  const long long mebibyte = 1024 * 1024, needed = (launch->memory + mebibyte - 1) / mebibyte;
  /* `max`, where there is no limit, is no number. */
  long long limit = read_number("/sys/fs/cgroup/memory.max", NULL);
  if (limit < 0) limit = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", NULL);
  if (limit >= 0 && limit < launch->memory)
    return because("DS5009 the container may use %lld MiB of memory, the snapshot's pages are %lld MiB (--memory)",
                   limit / mebibyte, needed);
  long long available = read_number("/proc/meminfo", "MemAvailable:");
  if (available >= 0 && available * 1024 < launch->memory)
    return because("DS5009 the machine has %lld MiB of memory left, the snapshot's pages are %lld MiB", available / 1024, needed);
  return NULL;
}

/* The sockets that the app was bound to are bound again. .NET has one in /tmp, for diagnostics. Only trying tells if that works. */
static const char *refuse_sockets(const struct launch *launch) {
  const char *reason = NULL;
  for (char **path = launch->sockets; *path && !reason; path++) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int folder = strrchr(*path, '/') - *path;
    snprintf(address.sun_path, sizeof address.sun_path, "%.*s/.dotnet-snapshot-%d", folder, *path, getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address))
      reason = because("DS5009 no file can be made in %.*s, where the app has a socket: %s (--tmpfs %.*s)", folder, *path, strerror(errno), folder, *path);
    else unlink(address.sun_path);
    close(fd);
  }
  return reason;
}


const char *preflight(const struct launch *launch) {
  /* In this order a reason is the cause, not a consequence of another. */
  static const char *(*const checks[])(const struct launch *) = {
      refuse_machine, refuse_cpu, refuse_identity, refuse_capabilities, refuse_choice_of_pid, refuse_numbers,
      refuse_memory, refuse_sockets, damaged_images};
  const char *reason = NULL;
  for (unsigned i = 0; i < sizeof checks / sizeof *checks && !reason; i++) reason = checks[i](launch);
  return reason;
}
