#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* CHECKPOINT_RESTORE to choose PIDs and read map_files, SETPCAP to restore capability sets, SYS_PTRACE to dump. */
static const int wanted[] = {CAP_CHECKPOINT_RESTORE, CAP_SETPCAP, CAP_SYS_PTRACE};

static int get(struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capget, &header, data);
}

static int set(struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capset, &header, data);
}

int grant_ambient_capabilities(void) {
  struct __user_cap_data_struct data[2];
  if (get(data)) return -1;
  for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    unsigned word = wanted[i] / 32, bit = 1u << (wanted[i] % 32);
    data[word].effective |= data[word].permitted & bit;
    data[word].inheritable |= data[word].permitted & bit;
  }
  if (set(data)) {
    say("dotnet-snapshot: can't take up capabilities: %s", strerror(errno));
    return -1;
  }
  for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (data[wanted[i] / 32].permitted & 1u << (wanted[i] % 32))
      if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0)) {
        say("dotnet-snapshot: can't hand on capability %d: %s", wanted[i], strerror(errno));
        return -1;
      }
  return 0;
}

const char *missing_capability(int *in_bounding_set) {
  static const struct { int number; const char *name; } needed[] = {
      {CAP_CHECKPOINT_RESTORE, "CHECKPOINT_RESTORE"}, {CAP_SETPCAP, "SETPCAP"}};
  struct __user_cap_data_struct data[2];
  if (get(data)) return needed[0].name;
  for (int i = 0; i < 2; i++)
    if (!(data[needed[i].number / 32].permitted & 1u << (needed[i].number % 32))) {
      *in_bounding_set = prctl(PR_CAPBSET_READ, needed[i].number, 0, 0, 0) == 1;
      return needed[i].name;
    }
  return NULL;
}

/*
 * The app is warmed with no capability at all and an empty bounding set: CRIU can always restore fewer
 * capabilities than a container grants, never more, so this snapshot restores under any capability set.
 */
int drop_all_capabilities(void) {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  int failed = 0;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    failed |= prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  struct __user_cap_data_struct none[2] = {0};
  return set(none) || failed;
}
