#define _GNU_SOURCE
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 8192 };

/* What was listed already: a file is mapped in several parts. */
static char *listed[MOST];
static int count;

static int is_new(const char *path) {
  for (int i = count - 1; i >= 0; i--)
    if (!strcmp(listed[i], path)) return 0;
  if (count < MOST) listed[count++] = strdup(path);
  return 1;
}

/* The bundle's own files are those of one image, whatever happens to the app. */
static void list_file(const char *path) {
  struct stat status;
  uint64_t hash;
  if (!strncmp(path, PREFIX "/", strlen(PREFIX "/")) || !is_new(path)) return;
  if (stat(path, &status) || !S_ISREG(status.st_mode)) return;
  if (hash_file(path, status.st_size, &hash)) say("dotnet-snapshot: %s can't be read: %s", path, strerror(errno));
  else printf("file %lld %lld %016" PRIx64 " %s\n", (long long)status.st_size, (long long)status.st_mtime, hash, path);
}

static int ends_with(const char *text, const char *end) {
  size_t length = strlen(text), tail = strlen(end);
  return length >= tail && !strcmp(text + length - tail, end);
}

/* What the host decides from when the app starts, beside an assembly that it has loaded. */
static void list_host_files(const char *assembly) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(assembly, '/') - assembly), assembly);
  if (!is_new(folder)) return;
  DIR *entries = opendir(folder);
  for (struct dirent *entry; entries && (entry = readdir(entries));) {
    char path[sizeof folder + sizeof entry->d_name + 1];
    if (!ends_with(entry->d_name, ".deps.json") && !ends_with(entry->d_name, ".runtimeconfig.json")) continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    list_file(path);
  }
  if (entries) closedir(entries);
}

/* Whether the app has the socket of that inode. */
static int is_of_app(const char *inode) {
  char path[64], link[64], wanted[64];
  int found = 0;
  snprintf(path, sizeof path, "/proc/%d/fd", APP_PID);
  snprintf(wanted, sizeof wanted, "socket:[%s]", inode);
  DIR *descriptors = opendir(path);
  for (struct dirent *entry; !found && descriptors && (entry = readdir(descriptors));) {
    ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, link, sizeof link - 1);
    link[length > 0 ? length : 0] = 0;
    found = !strcmp(link, wanted);
  }
  if (descriptors) closedir(descriptors);
  return found;
}

/* Calls `use` with each line of a table of /proc that ends with a path: that, and the word before it. */
static int each_path(const char *table, void (*use)(const char *path, const char *word)) {
  char *line = NULL, *path;
  size_t size = 0;
  FILE *lines = fopen(table, "re");
  if (!lines) {
    say("dotnet-snapshot: %s: %s", table, strerror(errno));
    return -1;
  }
  while (getline(&line, &size, lines) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (!(path = strstr(line, " /"))) continue;
    char *end = path++;
    while (end > line && end[-1] == ' ') end--;
    *end = 0;
    char *word = strrchr(line, ' ');
    use(path, word ? word + 1 : line);
  }
  free(line);
  fclose(lines);
  return 0;
}

static void use_mapping(const char *path, const char *inode) {
  (void)inode;
  list_file(path);
  if (ends_with(path, ".dll")) list_host_files(path);
}

static void use_socket(const char *path, const char *inode) {
  if (is_of_app(inode)) printf("socket %s\n", path);
}

/*
 * What the app, under APP_PID, has mapped and is bound to, in lines for the build, which puts them into the manifest and the plan. The kernel's own names
 * tell it: deleted files are left out, for they have the word (deleted) after their name and are not found.
 */
int list_files(void) {
  char maps[32], exe[32], program[4096];
  snprintf(maps, sizeof maps, "/proc/%d/maps", APP_PID);
  snprintf(exe, sizeof exe, "/proc/%d/exe", APP_PID);
  ssize_t length = readlink(exe, program, sizeof program - 1);
  if (length > 0) {
    program[length] = 0;
    list_host_files(program);
  }
  return each_path(maps, use_mapping) || each_path("/proc/net/unix", use_socket) ? 1 : 0;
}
