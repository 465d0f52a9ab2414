#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* How long the companion may take for an answer; hooks of the app have their own, shorter deadline. */
enum { ANSWER_MS = 400000 };

/* An abstract socket: it needs no writable folder and is gone with the container. */
static const char name[] = "\0dotnet-snapshot";

static int open_socket(int (*use)(int, const struct sockaddr *, socklen_t)) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, name, sizeof name - 1);
  if (fd < 0 || use(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + sizeof name - 1)) {
    say("dotnet-snapshot: control socket: %s", strerror(errno));
    return -1;
  }
  return fd;
}

/* Reads up to and with the newline; returns its length, or 0 when the other end closed or was silent too long. */
size_t read_line(int fd, char *line, int timeout_ms) {
  size_t length = 0;
  while (length < LINE) {
    struct pollfd source = {.fd = fd, .events = POLLIN};
    if (poll(&source, 1, timeout_ms) <= 0) return 0;
    ssize_t got = read(fd, line + length, 1);
    if (got <= 0) return 0;
    if (line[length++] == '\n') return length;
  }
  return 0;
}

int control_listen(void) {
  int fd = open_socket(bind);
  return fd >= 0 && !listen(fd, 4) ? fd : -1;
}

static unsigned long inode(int fd) {
  struct stat status;
  return fstat(fd, &status) ? 0 : status.st_ino;
}

/* The CPU's features as /proc/cpuinfo lists them; empty where it lists none. */
static const char *cpu_features(void) {
  static char text[65536];
  int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[length > 0 ? length : 0] = 0;
  char *flags = strstr(text, "\nflags");
  if (!flags) flags = strstr(text, "\nFeatures");
  if (!flags || !(flags = strchr(flags, ':'))) return "";
  flags += strspn(flags, ": ");
  flags[strcspn(flags, "\n")] = 0;
  return flags;
}

/* What the snapshot's manifest states of the app's surroundings, seen from inside. Pipes are named by inode, as CRIU does. */
static size_t describe_process(char *line, int to_app, int from_app) {
  struct utsname system;
  struct timespec monotonic;
  uname(&system);
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  return snprintf(line, LINE,
                  "{\"pid\":%d,\"uid\":%d,\"gid\":%d,\"stdout\":\"pipe:[%lu]\",\"stderr\":\"pipe:[%lu]\","
                  "\"controlIn\":\"pipe:[%lu]\",\"controlOut\":\"pipe:[%lu]\",\"kernel\":\"%s\",\"architecture\":\"%s\","
                  "\"monotonicSeconds\":%ld,\"cpuFeatures\":\"%s%s\"}\n",
                  APP_PID, getuid(), getgid(), inode(STDOUT_FILENO), inode(STDERR_FILENO), inode(to_app), inode(from_app),
                  system.release, system.machine, (long)monotonic.tv_sec, cpu_features(), unnamed_features());
}

void control_serve(int socket, int to_app, int from_app) {
  static char line[LINE];
  int client = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
  if (client < 0) return;
  /* Answers to a request that was given up on must not be taken for this one's. */
  struct pollfd stale = {.fd = from_app, .events = POLLIN};
  while (poll(&stale, 1, 0) > 0 && read(from_app, line, sizeof line) > 0) continue;

  size_t length = read_line(client, line, ANSWER_MS);
  if (length == 8 && !memcmp(line, "process\n", 8)) length = describe_process(line, to_app, from_app);
  else if (length && write(to_app, line, length) == (ssize_t)length) length = read_line(from_app, line, ANSWER_MS);
  else length = 0;
  if (length && write(client, line, length) < 0) say("dotnet-snapshot: control answer: %s", strerror(errno));
  close(client);
}

/* Whether standard input has something, or has ended. Returns 0 when the app is gone: PID 1 waits for this process then. */
static int wait_for_question(void) {
  struct pollfd source = {.fd = STDIN_FILENO, .events = POLLIN};
  while (poll(&source, 1, 50) == 0)
    if (kill(APP_PID, 0) && errno == ESRCH) return 0;
  return 1;
}

int control_client(void) {
  static char line[LINE];
  size_t length;
  while (wait_for_question() && (length = read_line(STDIN_FILENO, line, -1))) {
    int fd = open_socket(connect);
    if (fd < 0) return 1;
    if (write(fd, line, length) != (ssize_t)length || !(length = read_line(fd, line, -1))) {
      say("dotnet-snapshot: the companion in the app did not answer");
      return 1;
    }
    close(fd);
    if (write(STDOUT_FILENO, line, length) != (ssize_t)length) return 1;
  }
  return 0;
}
