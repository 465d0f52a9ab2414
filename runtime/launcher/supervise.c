#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/*
 * An app that is PID 1 is not killed by a signal that it does not handle; the restored one is not PID 1, so this process,
 * which is, must stand in for that. A list of the signals that are handled is in /proc.
 */
static int is_for_app(pid_t app, int signal) {
  static char text[4096];
  if (getpid() != 1) return 1;
  snprintf(text, sizeof text, "/proc/%d/status", app);
  int fd = open(text, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[length > 0 ? length : 0] = 0;
  const char *caught = strstr(text, "\nSigCgt:");
  return !caught || strtoull(caught + strlen("\nSigCgt:"), NULL, 16) >> (signal - 1) & 1;
}

/* Ends the children of this process, and theirs, which become its own: it is PID 1 or a subreaper. */
void end_descendants(void) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  do {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    /* A number that is cut off would be another process. */
    while (length > 0 && text[length - 1] != ' ') length--;
    text[length > 0 ? length : 0] = 0;
    char *end = text;
    for (long child; (child = strtol(end, &end, 10)) > 0;) kill(child, SIGKILL);
  } while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
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
      if (read(signals, &signal, sizeof signal) == sizeof signal && signal.ssi_signo != SIGCHLD &&
          is_for_app(app, signal.ssi_signo))
        kill(app, signal.ssi_signo);
    }
    if (control_socket >= 0 && sources[1].revents & POLLIN) control_serve(control_socket, to_app, from_app);
  }
}
