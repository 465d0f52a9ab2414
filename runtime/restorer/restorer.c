/*
 * The restore engine. The launcher forks a child, which becomes the app by plain system calls that every process may
 * make: it opens descriptors, replaces its memory, makes the threads, and lets all of them go at once. Whatever fails
 * before that ends the child, and the launcher starts the app normally.
 *
 * This program is linked into low memory, below LOW_END, and so are its heap, the plan and the report. What lies above
 * is replaced while the program goes on; in the end it unmaps itself but for one page of code and the signal frames.
 */
#define _GNU_SOURCE
#include "restorer.h"

#include "../launcher/launcher.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct report *const report_place = (struct report *)(PLAN_BASE - 0x10000);
static struct restoration work;

/* The clock by a system call: libc's way goes through the vdso, which is moved on the way. */
static double now(void) {
  struct timespec time;
  call(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

void note(enum stage stage) { work.report->moments[stage] = now(); }

void give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(work.report->reason, sizeof work.report->reason, format, arguments);
  va_end(arguments);
  call(SYS_exit_group, 1);
  __builtin_unreachable();
}

void decide(enum verdict verdict) {
  __atomic_store_n(&work.report->verdict, verdict, __ATOMIC_SEQ_CST);
  call(SYS_futex, &work.report->verdict, FUTEX_WAKE, 1);
}

void wait_for_verdict(const struct restoration *restoration) {
  int *verdict = &restoration->report->verdict, now;
  while ((now = __atomic_load_n(verdict, __ATOMIC_SEQ_CST)) == UNDECIDED) call(SYS_futex, verdict, FUTEX_WAIT, UNDECIDED, 0);
  if (now != LET_GO) call(SYS_exit_group, 1);
}

const char *restore_reason(void) { return work.report && work.report->reason[0] ? work.report->reason : NULL; }

const char *restore_steps(double start) {
  static const char *const names[STAGES] = {"checks", "pids", "process", "descriptors", "mappings", "content", "threads"};
  static char text[256];
  size_t used = 0;
  for (int stage = 0; stage < STAGES; stage++) {
    used += snprintf(text + used, sizeof text - used, "%s\"%s\":%.2f", used ? "," : "", names[stage], work.report->moments[stage] - start);
    start = work.report->moments[stage];
  }
  snprintf(text + used, sizeof text - used, ",\"answer\":%.2f", now() - start);
  return text;
}

/* On this stack the child goes on when that of the program has been unmapped. */
static char stack[64 * 1024] __attribute__((aligned(64)));

static _Noreturn void replace_and_leave(void) {
  replace_memory(&work);
  set_process_after(&work);
  make_threads_and_leave(&work);
}

static _Noreturn void become_app(void) {
  note(FORKED);
  await_keys(work.plan);
  set_process_before(&work);
  open_descriptors(&work);
  note(DESCRIPTORS_OPEN);
  look_at_own_memory();
  forget_own_thread_area();
#if defined(__x86_64__)
  __asm__ volatile("mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tcall *%1" ::"r"(stack + sizeof stack - 64), "r"(replace_and_leave) : "memory");
#else
  __asm__ volatile("mov sp, %0\n\tmov x29, xzr\n\tmov x30, xzr\n\tblr %1" ::"r"(stack + sizeof stack - 64), "r"(replace_and_leave) : "memory");
#endif
  __builtin_unreachable();
}

pid_t start_restore(const struct plan *plan, const char *pages, const int inherited[4], int record, const char **reason) {
  struct stat status;
  work.plan = plan;
  work.pages = open(pages, O_RDONLY | O_CLOEXEC);
  if (work.pages < 0 || fstat(work.pages, &status)) return *reason = because("DS5007 the snapshot is damaged: %s can't be opened (%s)", pages, strerror(errno)), -1;
  if ((uint64_t)status.st_size != plan->pages_bytes)
    return *reason = because("DS5007 the snapshot is damaged: %s has %lld bytes instead of %llu", pages, (long long)status.st_size, (unsigned long long)plan->pages_bytes), -1;
  work.report = mmap(report_place, sizeof *work.report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (work.report != report_place) return *reason = "DS5009 no memory is left for a restore", -1;
  work.record = record;
  /* Only what is on the disk can be dropped from the page cache. */
  if (record) sync();
  memcpy(work.inherited, inherited, sizeof work.inherited);

  note(CHECKED);
  pid_t wanted = plan->pid, newest = newest_number();
  if (newest < 0) return *reason = because("DS5009 no process can be started: %s", strerror(-newest)), -1;
  if (newest >= wanted)
    return *reason = because("DS5009 PID %d is taken: programs of this container have used the numbers up to %d before the restore (a restore needs a PID "
                             "namespace of the container's own: no --pid, no shareProcessNamespace)", wanted, newest), -1;
  if (use_up_numbers(newest, wanted - 1)) return *reason = because("DS5009 PIDs can't be used up to reach %d: %s", wanted, strerror(errno)), -1;
  note(NUMBERS_USED);
  pid_t app = fork();
  if (app == 0) {
    if (getpid() != wanted) give_up("DS5009 PID %d is taken: something else in this container started a process at the same moment", wanted);
    become_app();
  }
  close(work.pages);
  if (app < 0) *reason = because("DS5009 no process can be started: %s", strerror(errno));
  else *reason = hand_over_keys(plan, app);
  return app;
}
