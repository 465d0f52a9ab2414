#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A restore takes well under a second for each gigabyte; criu that takes longer is stuck. */
enum { RESTORE_SECONDS = 30, RUNNING = -1 };

/* The first error that criu wrote, without its timestamp; criu's later ones only follow from it. */
static const char *first_error(int log) {
  static char text[8192];
  ssize_t length = pread(log, text, sizeof text - 1, 0);
  if (length <= 0) return "criu gave no reason";
  text[length] = 0;
  char *error = strstr(text, "Error (");
  if (!error) error = text;
  error[strcspn(error, "\n")] = 0;
  return error;
}

/* The restored app becomes a child of this process (--restore-sibling). */
static pid_t start_criu(const struct launch *launch, int log, int in, int out) {
  char inherit[4][64];
  const struct { int fd; const char *pipe; } pipes[4] = {
      {STDOUT_FILENO + 10, launch->out}, {STDERR_FILENO + 10, launch->err}, {in, launch->control_in}, {out, launch->control_out}};
  for (int i = 0; i < 4; i++) snprintf(inherit[i], sizeof inherit[i], "fd[%d]:%s", pipes[i].fd, pipes[i].pipe);

  pid_t criu = fork();
  if (criu != 0) return criu;
  if (dup2(STDOUT_FILENO, STDOUT_FILENO + 10) < 0 || dup2(STDERR_FILENO, STDERR_FILENO + 10) < 0) _exit(1);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  /* Ranges whose pages criu may map from the image; the rest it reads. runtime/criu/patches says why. */
  setenv("CRIU_MAP_RANGES", launch->reserved, 1);
  setenv("CRIU_WRITTEN_RANGES", PREFIX "/written", 1);
  char *arguments[] = {
      CRIU, "restore", "--unprivileged", "-v1", "--images-dir", SNAPSHOT, "--work-dir", "/",
      "--restore-detached", "--restore-sibling", "--manage-cgroups=ignore", "--tcp-close",
      "--inherit-fd", inherit[0], "--inherit-fd", inherit[1], "--inherit-fd", inherit[2], "--inherit-fd", inherit[3], NULL};
  execv(CRIU, arguments);
  dprintf(log, "Error (launcher): can't run %s: %s\n", CRIU, strerror(errno));
  _exit(127);
}

/*
 * What would take longer than a restore may is looked at while criu is at work: files, for criu opens the same ones; and
 * pages, which are so also read ahead for it.
 */
static pid_t start_check(const struct launch *launch, int log) {
  pid_t check = fork();
  if (check != 0) return check;
  const char *reason = changed_file(launch);
  if (!reason) reason = damaged_pages(launch);
  if (reason) dprintf(log, "%s", reason);
  _exit(reason ? 1 : 0);
}

/* Waits for both. The companion gets its line, without which the app answers nothing, only once files and pages are known to be good. */
static const char *wait_for_both(pid_t criu, int criu_log, pid_t check, int check_log, struct line *line, int to_app) {
  int criu_code = RUNNING, check_code = RUNNING, status;
  const struct timespec patience = {.tv_sec = RESTORE_SECONDS};
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  for (;;) {
    if (criu_code == RUNNING && waitpid(criu, &status, WNOHANG) == criu) criu_code = exit_code(status);
    if (check_code == RUNNING && waitpid(check, &status, WNOHANG) == check) {
      check_code = exit_code(status);
      if (!check_code) start_line(line, to_app);
    }
    if (check_code > 0) {
      char reason[1000];
      ssize_t length = pread(check_log, reason, sizeof reason - 1, 0);
      reason[length > 0 ? length : 0] = 0;
      return because("%s", length > 0 ? reason : "DS5007 the snapshot can't be checked");
    }
    if (check_code == 0 && criu_code > 0) return because("DS5002 criu: %.1000s", first_error(criu_log));
    if (check_code == 0 && criu_code == 0) return NULL;
    if (sigtimedwait(&child, NULL, &patience) < 0 && errno == EAGAIN)
      return because("DS5002 criu: Error (launcher): criu did not end within %d s", RESTORE_SECONDS);
  }
}

const char *restore(const struct launch *launch, char **further, int *to_app, int *from_app) {
  int to[2], from[2], criu_log = memfd_create("criu.log", MFD_CLOEXEC), check_log = memfd_create("check.log", MFD_CLOEXEC);
  struct line line = {0};
  if (criu_log < 0 || check_log < 0 || pipe(to) || pipe(from) || make_line(&line, launch->snapshot, further))
    return because("DS5009 no descriptors or no memory are left: %s", strerror(errno));
  fcntl(to[1], F_SETFD, FD_CLOEXEC);
  fcntl(from[0], F_SETFD, FD_CLOEXEC);

  pid_t check = start_check(launch, check_log), criu = check < 0 ? -1 : start_criu(launch, criu_log, to[0], from[1]);
  const char *reason =
      criu < 0 ? because("DS5009 no process can be started: %s", strerror(errno)) : wait_for_both(criu, criu_log, check, check_log, &line, to[1]);
  close(to[0]);
  close(from[1]);
  close(criu_log);
  close(check_log);
  if (!reason) reason = end_line(&line, to[1], from[0], launch->answer_ms);
  free(line.text);
  *to_app = to[1];
  *from_app = from[0];
  return reason;
}
