#define _GNU_SOURCE
#include "../restorer/restorer.h"
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The app: leader of its own session, stdin closed off, its control pipes in place. */
static int become_app(char **command, const sigset_t *signals, int in, int out) {
  int null = open("/dev/null", O_RDONLY);
  if (setsid() < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(in, CONTROL_IN) < 0 || dup2(out, CONTROL_OUT) < 0)
    return 1;
  close(null);
  sigprocmask(SIG_SETMASK, signals, NULL);
  return start_normally(command);
}

int warm(char **command) {
  int to_app[2], from_app[2], control = control_listen();
  if (control < 0 || pipe2(to_app, O_CLOEXEC) || pipe2(from_app, O_CLOEXEC)) return 1;

  sigset_t before;
  block_signals(&before);
  pid_t app = use_up_numbers(newest_number(), APP_PID - 1) ? -1 : fork();
  if (app < 0 || (app > 0 && app != APP_PID)) {
    say("dotnet-snapshot: the app can't get the PID %d: %s", APP_PID, app < 0 ? strerror(errno) : "the number is taken");
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
