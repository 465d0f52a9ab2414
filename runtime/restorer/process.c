#define _GNU_SOURCE
#include "restorer.h"

#include "system.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Room above the app's own numbers: what is inherited, the pages file, and the other ends of pipes. */
enum { OWN_DESCRIPTORS = 64 };

void set_process_before(const struct restoration *work) {
  const struct plan *plan = work->plan;
  struct rlimit files;
  if (setsid() < 0) give_up("DS5002 the app's session can't be made: %s", strerror(errno));
  if (chdir(text_of(plan, plan->folder)))
    give_up("DS5002 the app's working folder %s can't be entered: %s", text_of(plan, plan->folder), strerror(errno));
  umask(plan->umask);
  if (getrlimit(RLIMIT_NOFILE, &files)) give_up("DS5002 the limit of open files is not known: %s", strerror(errno));
  if (plan->flags & RAISE_NOFILE && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files)) give_up("DS5002 the limit of open files can't be raised: %s", strerror(errno));
  }
  if (files.rlim_cur < plan->descriptors_end + OWN_DESCRIPTORS)
    give_up("DS5009 the container may open %llu files, the app needs %u (--ulimit nofile)", (unsigned long long)files.rlim_cur,
            plan->descriptors_end + OWN_DESCRIPTORS);
}

/* Where the kernel shows the command line, the environment, the heap: of /proc, and of brk(). */
static void set_fields(const struct plan *plan) {
  const uint64_t *mm = plan->mm;
  struct prctl_mm_map map = {
      .start_code = mm[0], .end_code = mm[1], .start_data = mm[2], .end_data = mm[3], .start_brk = mm[4], .brk = mm[5],
      .start_stack = mm[6], .arg_start = mm[7], .arg_end = mm[8], .env_start = mm[9], .env_end = mm[10],
      .auxv = (void *)ENTRIES(plan, AUXV, uint64_t), .auxv_size = COUNT(plan, AUXV) * sizeof(uint64_t), .exe_fd = -1};
  long result = call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
  const char *why = result == -EINVAL  ? "; it was built without CONFIG_CHECKPOINT_RESTORE, or the container's memory limits are smaller than at the build"
                    : result == -EPERM ? "; a seccomp profile forbids it"
                                       : "";
  if (failed(result)) give_up("DS5006 the kernel refuses prctl(PR_SET_MM_MAP), which a restore needs: %s%s", strerror(-result), why);
}

static void set_actions(const struct plan *plan) {
  const struct action *action = ENTRIES(plan, ACTIONS, struct action);
  for (int signal = 1; signal <= 64; signal++) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    struct { uint64_t handler, flags, restorer, mask; } set = {action->handler, action->flags, action->restorer, action->mask};
#if defined(__aarch64__)
    /* No restorer in the kernel's struct but where the flag says so; the layout is the same. */
#endif
    long result = call(SYS_rt_sigaction, signal, &set, 0, 8);
    if (failed(result)) give_up("DS5002 what signal %d does can't be set: %s", signal, strerror(-result));
    action++;
  }
}

static void set_timers(const struct plan *plan) {
  for (int which = 0; which < 3; which++) {
    const struct interval *of = &plan->timers[which];
    if (!of->value_s && !of->value_us) continue;
    struct itimerval value = {{of->interval_s, of->interval_us}, {of->value_s, of->value_us}};
    long result = call(SYS_setitimer, which, &value, NULL);
    if (failed(result)) give_up("DS5002 interval timer %d can't be set: %s", which, strerror(-result));
  }
  /* The kernel hands numbers out in order: those that are not the app's are made and removed. */
  unsigned next = 0;
  for (uint32_t i = 0; i < COUNT(plan, TIMERS); i++) {
    const struct timer *timer = &ENTRIES(plan, TIMERS, struct timer)[i];
    struct sigevent event = {.sigev_signo = timer->signal, .sigev_notify = timer->notify, .sigev_value.sival_ptr = (void *)timer->value};
    memcpy((char *)&event + offsetof(struct sigevent, _sigev_un), &timer->thread, sizeof timer->thread);
    for (;; next++) {
      int number = -1;
      /* A thread that is to be told may not exist yet: only the timer that stays names it. */
      struct sigevent nobody = {.sigev_notify = SIGEV_NONE};
      long result = call(SYS_timer_create, timer->clock, next == timer->number ? &event : &nobody, &number);
      if (failed(result) || number != (int)next) give_up("DS5002 POSIX timer %u can't be made: %s", timer->number, strerror(failed(result) ? -result : EBUSY));
      if (next == timer->number) break;
      call(SYS_timer_delete, number);
    }
    next++;
    struct itimerspec value = {{timer->interval_s, timer->interval_ns}, {timer->value_s, timer->value_ns}};
    long result = call(SYS_timer_settime, timer->number, 0, &value, NULL);
    if (failed(result)) give_up("DS5002 POSIX timer %u can't be set: %s", timer->number, strerror(-result));
  }
}

void set_process_after(const struct restoration *work) {
  const struct plan *plan = work->plan;
  set_fields(plan);
  /* With one thread this is cheap; with more the kernel waits for all CPUs. */
  for (unsigned bit = 0; bit < 32; bit++)
    if (plan->membarriers >> bit & 1) call(SYS_membarrier, 1u << bit, 0, 0);
  /* .NET needs this one; kernels before 6.3 do not tell what was registered. */
  call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
  set_actions(plan);
  if (plan->flags & NOT_DUMPABLE) call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (plan->flags & NO_HUGE_PAGES) call(SYS_prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0);
  if (plan->flags & SUBREAPER) call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (plan->death_signal) call(SYS_prctl, PR_SET_PDEATHSIG, plan->death_signal, 0, 0, 0);
}

void send_pending(const struct plan *plan, uint32_t tid) {
  for (uint32_t i = 0; i < COUNT(plan, PENDING); i++) {
    const struct pending *pending = &ENTRIES(plan, PENDING, struct pending)[i];
    if (pending->tid != tid) continue;
    long result = tid ? call(SYS_rt_tgsigqueueinfo, plan->pid, tid, pending->signal, pending->info)
                      : call(SYS_rt_sigqueueinfo, plan->pid, pending->signal, pending->info);
    if (failed(result)) give_up("DS5002 the pending signal %u can't be sent again: %s", pending->signal, strerror(-result));
  }
}

void set_process_last(const struct restoration *work) {
  const struct plan *plan = work->plan;
  set_timers(plan);
  send_pending(plan, 0);
  send_pending(plan, plan->pid);
}
