#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Uses up PIDs until the next one is APP_PID. The app's threads then get the numbers above it, so the low ones,
 * which a container's first processes take, are free at the restore.
 */
static void use_up_pids(void) {
  pid_t pid;
  do {
    pid = vfork();
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid(pid, NULL, 0);
  } while (pid > 0 && pid < APP_PID - 1);
}

static pid_t fork_with_pid(pid_t pid) {
  struct clone_args arguments = {
      .exit_signal = SIGCHLD,
      .set_tid = (uintptr_t)&pid,
      .set_tid_size = 1,
  };
  return syscall(SYS_clone3, &arguments, sizeof arguments);
}

/* The app: leader of its own session, stdin closed off, its control pipes in place, no capability. */
static int become_app(char **command, const sigset_t *signals, int in, int out) {
  int null = open("/dev/null", O_RDONLY);
  if (setsid() < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(in, CONTROL_IN) < 0 || dup2(out, CONTROL_OUT) < 0)
    return 1;
  close(null);
  if (drop_all_capabilities()) {
    say("dotnet-snapshot: can't drop capabilities: %s", strerror(errno));
    return 1;
  }
  sigprocmask(SIG_SETMASK, signals, NULL);
  return start_normally(command);
}

int warm(char **command) {
  if (grant_ambient_capabilities()) return 1;
  int to_app[2], from_app[2], control = control_listen();
  if (control < 0 || pipe2(to_app, O_CLOEXEC) || pipe2(from_app, O_CLOEXEC)) return 1;

  sigset_t before;
  block_signals(&before);
  use_up_pids();
  pid_t app = fork_with_pid(APP_PID);
  if (app < 0) {
    say("dotnet-snapshot: can't choose the app's PID: %s", strerror(errno));
    return 1;
  }
  if (app == 0) _exit(become_app(command, &before, to_app[0], from_app[1]));
  close(to_app[0]);
  close(from_app[1]);
  int code = supervise(app, control, to_app[1], from_app[0]);
  /* A dump ends the app, and the container with this process; criu must have its last words first. */
  wait_for_others(10000);
  return code;
}
