#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void block_signals(sigset_t *before) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, before);
}

int exit_code(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

void wait_for_others(int timeout_ms) {
  const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
  /* Signal 0 to everyone but this process: it fails once there is nobody. */
  for (int waited = 0; waited < timeout_ms && kill(-1, 0) == 0; waited += 10) nanosleep(&moment, NULL);
}

/* Passes every signal on to the app, reaps every child, serves control requests, and returns the app's exit code. */
int supervise(pid_t app, int control_socket, int to_app, int from_app) {
  sigset_t all;
  sigfillset(&all);
  int signals = signalfd(-1, &all, SFD_CLOEXEC);
  struct pollfd sources[2] = {{.fd = signals, .events = POLLIN}, {.fd = control_socket, .events = POLLIN}};

  for (;;) {
    /* First, for a child may have ended before the signal descriptor existed. */
    int status;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
      if (ended == app) return exit_code(status);
    if (ended < 0 && errno == ECHILD) return 1;

    if (poll(sources, control_socket < 0 ? 1 : 2, -1) < 0) continue;
    if (sources[0].revents & POLLIN) {
      struct signalfd_siginfo signal;
      if (read(signals, &signal, sizeof signal) == sizeof signal && signal.ssi_signo != SIGCHLD)
        kill(app, signal.ssi_signo);
    }
    if (control_socket >= 0 && sources[1].revents & POLLIN) control_serve(control_socket, to_app, from_app);
  }
}
