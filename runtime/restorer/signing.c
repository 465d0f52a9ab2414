/*
 * Signed return addresses of arm64 (pointer authentication, PAC).
 *
 * Where the CPU has them, functions of libc sign the address that they return to, by a key that the kernel makes up at the
 * start of each program, and check it before they return. On the stacks of the checkpoint such addresses are
 * - signed by the keys of the checkpoint. Only a tracer may set keys, so the launcher is its child's for a moment;
 * - or unsigned, where that CPU had none of this. Then nothing may check them: all keys are switched off.
 * Threads have the keys of the thread that makes them. src/plan/frames.ts puts them behind the first one's frame.
 */
#define _GNU_SOURCE
#include "restorer.h"

#include "../launcher/launcher.h"
#include "system.h"

#if defined(__aarch64__)
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALL_KEYS = 0xf, FRAME_BYTES = 4688 };

struct keys {
  uint64_t address[8], generic[2];
  uint64_t enabled; /* PR_PAC_AP…KEY; 0 where nothing was signed */
  uint64_t has_generic;
};

static struct keys *keys_of(const struct plan *plan) {
  return (struct keys *)(ENTRIES(plan, FRAMES, char) + FRAME_STACK + FRAME_BYTES);
}

/* Whether keys are to be set. A CPU that can't sign has been refused where they are. */
static int has_keys(const struct plan *plan) {
  return getauxval(AT_HWCAP) & HWCAP_PACA && plan->frame_stride >= FRAME_STACK + FRAME_BYTES + sizeof(struct keys) && keys_of(plan)->enabled;
}

/* What this function calls before the keys change has returned by then; itself it must not sign. */
__attribute__((noinline, target("branch-protection=none"))) void await_keys(const struct plan *plan) {
  if (!(getauxval(AT_HWCAP) & HWCAP_PACA)) return;
  uint64_t enabled = 0;
  if (has_keys(plan)) {
    enabled = keys_of(plan)->enabled;
    long result = call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
    if (failed(result)) give_up("DS5006 the container forbids ptrace(), by which the keys of signed return addresses are set: %s", strerror(-result));
    call(SYS_kill, call(SYS_getpid), SIGSTOP);
    /* Its pages stay in the app; who reads them is not to find the keys, too. */
    memset(keys_of(plan), 0, sizeof(struct keys));
  }
  long now = call(SYS_prctl, PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0);
  if (now == (long)enabled || (failed(now) && enabled == ALL_KEYS)) return;
  long result = call(SYS_prctl, PR_PAC_SET_ENABLED_KEYS, ALL_KEYS, enabled, 0, 0);
  if (failed(result)) give_up("DS5006 this kernel can't switch the check of return addresses off, which the snapshot has not signed: %s", strerror(-result));
}

const char *hand_over_keys(const struct plan *plan, pid_t app) {
  if (!has_keys(plan)) return NULL;
  int status;
  pid_t stopped;
  while ((stopped = waitpid(app, &status, 0)) < 0 && errno == EINTR) continue;
  if (stopped == app && !WIFSTOPPED(status)) return restore_reason() ? because("%s", restore_reason()) : "DS5002 the app was ended while it was restored";
  struct keys *keys = keys_of(plan);
  struct iovec address = {keys->address, sizeof keys->address}, generic = {keys->generic, sizeof keys->generic};
  if (stopped != app || ptrace(PTRACE_SETREGSET, app, NT_ARM_PACA_KEYS, &address) ||
      (keys->has_generic && ptrace(PTRACE_SETREGSET, app, NT_ARM_PACG_KEYS, &generic)) || ptrace(PTRACE_DETACH, app, 0, 0))
    return because("DS5006 the keys of signed return addresses can't be set: %s", strerror(errno));
  return NULL;
}
#else
void await_keys(const struct plan *plan) { (void)plan; }
const char *hand_over_keys(const struct plan *plan, pid_t app) { return (void)plan, (void)app, NULL; }
#endif
