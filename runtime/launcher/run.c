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
enum { WORDS = 256, FILE_SIZE = 65536, RESTORE_SECONDS = 30 };

/* What the restore needs of the snapshot's manifest, as `launch` states it: `key value` lines. */
struct launch {
  const char *snapshot, *identity, *out, *err, *control_in, *control_out;
  int answer_ms;
  char *command[WORDS];
};

/* What DOTNET_SNAPSHOT asks for. VERIFY is REQUIRE plus the control socket, for the build's own test of clones. */
enum wish { PREFER, REQUIRE, VERIFY, OFF };

static enum wish read_wish(void) {
  const char *wish = getenv("DOTNET_SNAPSHOT");
  if (!wish) return PREFER;
  return !strcmp(wish, "require") ? REQUIRE : !strcmp(wish, "verify") ? VERIFY : !strcmp(wish, "off") ? OFF : PREFER;
}

/* Reads PREFIX/launch into `launch`; the strings live as long as the process. Returns the reason where it can't. */
static const char *read_launch(struct launch *launch) {
  static char text[FILE_SIZE];
  int fd = open(LAUNCH_FILE, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "DS5002 this image holds no snapshot";
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0 || length == sizeof text - 1) return "DS5002 the launch file can't be read whole";
  text[length] = 0;

  int words = 0;
  char *rest = text, *line;
  while ((line = strsep(&rest, "\n")) && *line) {
    char *value = strchr(line, ' ');
    if (!value) return "DS5002 the launch file has a line without a value";
    *value++ = 0;
    if (!strcmp(line, "snapshot")) launch->snapshot = value;
    else if (!strcmp(line, "identity")) launch->identity = value;
    else if (!strcmp(line, "stdout")) launch->out = value;
    else if (!strcmp(line, "stderr")) launch->err = value;
    else if (!strcmp(line, "control-in")) launch->control_in = value;
    else if (!strcmp(line, "control-out")) launch->control_out = value;
    else if (!strcmp(line, "answer-seconds")) launch->answer_ms = atoi(value) * 1000;
    else if (!strcmp(line, "command") && words < WORDS - 1) launch->command[words++] = value;
    else return "DS5002 the launch file has a line that this launcher does not know";
  }
  if (!launch->snapshot || !launch->identity || !launch->out || !launch->err || !launch->control_in || !launch->control_out ||
      launch->answer_ms <= 0 || !words)
    return "DS5002 the launch file is not complete";
  return NULL;
}

/* --Section:Key=Value can only be configuration; any other word may mean another program to the app. */
static int is_configuration(const char *word) {
  const char *equals = strchr(word, '='), *colon = strchr(word, ':');
  return !strncmp(word, "--", 2) && equals && colon && colon < equals;
}

/* The words that `command` has beyond those that were checkpointed; NULL where it is another command. */
static char **further_arguments(char **checkpointed, char **command) {
  while (*checkpointed && *command && !strcmp(*checkpointed, *command)) checkpointed++, command++;
  if (*checkpointed) return NULL;
  for (char **word = command; *word; word++)
    if (!is_configuration(*word)) return NULL;
  return command;
}

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

static double milliseconds_since(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - start->tv_sec) * 1e3 + (now.tv_nsec - start->tv_nsec) / 1e6;
}

/* Returns criu's exit code, or, when it is stuck, ends it and returns that of a process that was killed. */
static int wait_for_criu(pid_t criu, int log) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const struct timespec patience = {.tv_sec = RESTORE_SECONDS};
  int status = 0;
  pid_t ended;
  while (!(ended = waitpid(criu, &status, WNOHANG)))
    if (sigtimedwait(&child, NULL, &patience) < 0 && errno == EAGAIN) {
      dprintf(log, "Error (launcher): criu did not end within %d s\n", RESTORE_SECONDS);
      kill(criu, SIGKILL);
      ended = waitpid(criu, &status, 0);
      break;
    }
  return ended == criu ? exit_code(status) : 1;
}

/* Runs criu; returns its exit code. The restored app becomes a child of this process (--restore-sibling). */
static int restore(const struct launch *launch, int log, int in, int out) {
  char inherit[4][64];
  const struct { int fd; const char *pipe; } pipes[4] = {
      {STDOUT_FILENO + 10, launch->out}, {STDERR_FILENO + 10, launch->err}, {in, launch->control_in}, {out, launch->control_out}};
  for (int i = 0; i < 4; i++) snprintf(inherit[i], sizeof inherit[i], "fd[%d]:%s", pipes[i].fd, pipes[i].pipe);

  pid_t criu = fork();
  if (criu == 0) {
    if (dup2(STDOUT_FILENO, STDOUT_FILENO + 10) < 0 || dup2(STDERR_FILENO, STDERR_FILENO + 10) < 0) _exit(1);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    char *arguments[] = {
        CRIU, "restore", "--unprivileged", "-v1", "--images-dir", SNAPSHOT, "--work-dir", "/tmp",
        "--restore-detached", "--restore-sibling", "--manage-cgroups=ignore", "--tcp-close",
        "--inherit-fd", inherit[0], "--inherit-fd", inherit[1], "--inherit-fd", inherit[2], "--inherit-fd", inherit[3], NULL};
    execv(CRIU, arguments);
    dprintf(log, "Error (launcher): can't run %s: %s\n", CRIU, strerror(errno));
    _exit(127);
  }
  if (criu < 0) dprintf(log, "Error (launcher): can't start criu: %s\n", strerror(errno));
  return criu < 0 ? 1 : wait_for_criu(criu, log);
}

/* Ends the app and whatever it has started; what follows is a start of its own. */
static void end_app(void) {
  /* In a shared PID namespace the number may be somebody else's process. */
  siginfo_t ours;
  if (waitid(P_PID, APP_PID, &ours, WEXITED | WNOHANG | WNOWAIT)) return;
  kill(-APP_PID, SIGKILL);
  kill(APP_PID, SIGKILL);
  while (waitpid(APP_PID, NULL, 0) < 0 && errno == EINTR) continue;
}

/* Restores the app and has the companion make it safe; returns NULL and fills `code` with its exit code when it has ended, else the reason. */
static const char *restore_and_supervise(const struct launch *launch, char **further, int verify, int *code, sigset_t *before) {
  static char reason[1024];
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);

  int to_app[2], from_app[2], log = memfd_create("criu.log", MFD_CLOEXEC);
  if (log < 0 || pipe(to_app) || pipe(from_app)) return "DS5002 no descriptors left";
  fcntl(to_app[1], F_SETFD, FD_CLOEXEC);
  fcntl(from_app[0], F_SETFD, FD_CLOEXEC);
  /* Signals that arrive meanwhile wait, and reach the app once it is back. */
  block_signals(before);
  struct line line = {0};
  if (begin_line(&line, launch->snapshot, further, to_app[1])) return "DS5002 no memory left";
  int failed = restore(launch, log, to_app[0], from_app[1]);
  close(to_app[0]);
  close(from_app[1]);
  const char *answer = failed ? NULL : end_line(&line, to_app[1], from_app[0], launch->answer_ms);
  free(line.text);
  if (!answer || strncmp(answer, "ok ", 3)) {
    if (failed) snprintf(reason, sizeof reason, "DS5002 criu: %.1000s", first_error(log));
    else snprintf(reason, sizeof reason, "%.1000s", answer);
    end_app();
    close(to_app[1]);
    close(from_app[0]);
    close(log);
    return reason;
  }
  close(log);
  say("dotnet-snapshot: restored in %.0f ms (snapshot %s), %s", milliseconds_since(&start), launch->snapshot, answer + 3);
  *code = supervise(APP_PID, verify ? control_listen() : -1, to_app[1], from_app[0]);
  return NULL;
}

int run(char **command) {
  enum wish wish = read_wish();
  if (wish == OFF) return start_normally(command);

  struct launch launch = {0};
  sigset_t before;
  sigprocmask(SIG_BLOCK, NULL, &before);
  int code = 1;
  char **further = NULL;
  const char *reason = read_launch(&launch);
  if (!reason && !(further = further_arguments(launch.command, command)))
    reason = "DS5002 the container's command is not the one that was checkpointed";
  if (!reason && strcmp(launch.identity, identity())) {
    static char text[512];
    snprintf(text, sizeof text, "DS5002 the container runs as user:group:groups %.200s, the app was checkpointed as %.200s",
             identity(), launch.identity);
    reason = text;
  }
  if (!reason && grant_ambient_capabilities()) reason = "DS5002 capabilities can't be taken up";
  if (!reason && !(reason = restore_and_supervise(&launch, further, wish == VERIFY, &code, &before))) return code;

  if (wish != PREFER) {
    say("%s; DOTNET_SNAPSHOT=%s forbids a normal start", reason, getenv("DOTNET_SNAPSHOT"));
    return 1;
  }
  say("%s; starting normally", reason);
  /* What was taken up for criu is not the app's. */
  drop_all_capabilities();
  sigprocmask(SIG_SETMASK, &before, NULL);
  return start_normally(command);
}
