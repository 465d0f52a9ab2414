#define _GNU_SOURCE
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

/* An app may load whatever assemblies its folder has; those of shared frameworks are known. */
static void list_assemblies(const char *folder) {
  long long assemblies;
  uint64_t hash;
  if (!strstr(folder, "/shared/Microsoft.") && !hash_assemblies(folder, &assemblies, &hash)) printf("file %lld 0 %016" PRIx64 " %s/\n", assemblies, hash, folder);
}

/* What the host decides from when the app starts, beside an assembly that it has loaded. */
static void list_host_files(const char *assembly) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(assembly, '/') - assembly), assembly);
  if (!is_new(folder)) return;
  list_assemblies(folder);
  DIR *entries = opendir(folder);
  for (struct dirent *entry; entries && (entry = readdir(entries));) {
    char path[sizeof folder + sizeof entry->d_name + 1];
    if (!ends_with(entry->d_name, ".deps.json") && !ends_with(entry->d_name, ".runtimeconfig.json")) continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    list_file(path);
  }
  if (entries) closedir(entries);
}

/* Uses each path that a line of /proc/PID/maps ends with. */
static int list_mappings(const char *maps) {
  char *line = NULL, *path;
  size_t size = 0;
  FILE *lines = fopen(maps, "re");
  if (!lines) {
    say("dotnet-snapshot: %s: %s", maps, strerror(errno));
    return 1;
  }
  while (getline(&line, &size, lines) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (!(path = strstr(line, " /"))) continue;
    list_file(++path);
    if (ends_with(path, ".dll")) list_host_files(path);
  }
  free(line);
  fclose(lines);
  return 0;
}

/* Descriptors of events that count down by one at each read, which CRIU's images do not tell: `semaphore NUMBER`. */
static void list_semaphores(void) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/fdinfo", APP_PID);
  DIR *entries = opendir(path);
  for (struct dirent *entry; entries && (entry = readdir(entries));) {
    int fd = openat(dirfd(entries), entry->d_name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[length > 0 ? length : 0] = 0;
    if (strstr(text, "eventfd-semaphore: 1")) printf("semaphore %s\n", entry->d_name);
  }
  if (entries) closedir(entries);
}

/* Files that the container's command names, such as a script, which are not mapped. */
static void list_command_files(void) {
  char *word = NULL, path[8192], file[4096];
  size_t size = 0;
  int words = -1;
  FILE *command = fopen("/proc/1/cmdline", "re");
  while (command && getdelim(&word, &size, 0, command) > 0) {
    if (words < 0 && strcmp(word, "--")) continue;
    if (words++ < 0) continue;
    const char *search = words == 1 && !strchr(word, '/') ? getenv("PATH") : "";
    for (int found = 0; search && !found; search = *search ? search + 1 : NULL) {
      size_t length = strcspn(search, ":");
      if (length) snprintf(path, sizeof path, "%.*s/%s", (int)length, search, word);
      else snprintf(path, sizeof path, "%s", word); /* from the image's working folder, where this runs, too */
      if ((found = realpath(path, file) != NULL)) list_file(file);
      search += length;
    }
  }
  free(word);
  if (command) fclose(command);
}

/*
 * What the app, under APP_PID, has mapped, in lines for the build, which puts them into the manifest and the plan. The
 * kernel's own names tell it: deleted files are left out, for they have the word (deleted) after their name and are not
 * found.
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
  list_semaphores();
  if (list_mappings(maps)) return 1;
  list_command_files();
  return 0;
}
