#define _GNU_SOURCE
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One line for each process of the container but the app, this program, and what the build itself has started in it. */
static void list_process(long pid) {
  char path[64], name[64] = "", *line = NULL, state = '?';
  long parent = 0;
  size_t size = 0;
  snprintf(path, sizeof path, "/proc/%ld/status", pid);
  FILE *lines = fopen(path, "re");
  if (!lines) return;
  while (getline(&line, &size, lines) > 0) {
    sscanf(line, "Name:\t%63[^\n]", name);
    sscanf(line, "State:\t%c", &state);
    sscanf(line, "PPid:\t%ld", &parent);
  }
  free(line);
  fclose(lines);
  /* The parent of what `docker exec` starts is outside of the container. */
  if (parent > 0) printf("process %ld %ld %c %s\n", pid, parent, pid == APP_PID ? 'A' : state, name);
}

/* The variables that a process was started with, each ended by a zero; NULL where they can't be read. */
static char *read_variables(int pid, size_t *length) {
  char path[64], *text = NULL;
  size_t size = 0;
  snprintf(path, sizeof path, "/proc/%d/environ", pid);
  FILE *file = fopen(path, "re");
  FILE *copy = file ? open_memstream(&text, &size) : NULL;
  if (copy) {
    for (int byte; (byte = getc(file)) != EOF;) putc(byte, copy);
    fclose(copy);
  }
  int failed = !file || ferror(file);
  if (file) fclose(file);
  *length = size;
  return failed ? NULL : text;
}

static int has(const char *text, size_t length, const char *variable, size_t compared) {
  for (const char *one = text; one < text + length; one += strlen(one) + 1)
    if (!strncmp(one, variable, compared)) return 1;
  return 0;
}

/* Names of the variables of `from` that `in` has not: with this value, or at all. */
static void list_variables(char *from, size_t length, const char *in, size_t other, int by_value) {
  for (char *one = from; one < from + length; one += strlen(one) + 1) {
    size_t name = strcspn(one, "=");
    if (!has(in, other, one, by_value ? strlen(one) + 1 : name + 1)) printf("variable %.*s\n", (int)name, one);
  }
}

/*
 * What of the container is not the app under APP_PID: `process PID PARENT STATE NAME`, where the state A marks the app
 * itself, and `variable NAME` for what its entrypoint has set, changed or removed in the environment of the container.
 */
int list_processes(void) {
  size_t given, has_now;
  char *container = read_variables(1, &given), *app = read_variables(APP_PID, &has_now);
  DIR *entries = opendir("/proc");
  if (!container || !app || !entries) {
    say("dotnet-snapshot: the container's processes can't be read: %s", strerror(errno));
    return 1;
  }
  list_variables(app, has_now, container, given, 1);
  list_variables(container, given, app, has_now, 0);
  for (struct dirent *entry; (entry = readdir(entries));)
    if (strtol(entry->d_name, NULL, 10) > 1) list_process(strtol(entry->d_name, NULL, 10));
  closedir(entries);
  return 0;
}
