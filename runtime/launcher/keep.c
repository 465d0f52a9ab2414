/*
 * Files that the app made or changed, at the build: `launcher written -- WORD…` lists them, and as CRIU's action script,
 * with the app stopped, keep_files() copies them beside CRIU's images. src/checkpoint/files.ts reads both.
 */
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

enum { MOST = 65536, CHUNK = 128 * 1024 };

/* What the app has open or mapped, by device and inode: its path may lead elsewhere by now. */
static struct {
  dev_t device;
  ino_t inode;
} held[MOST];
static int held_count;

static void hold(const char *path) {
  struct stat status;
  if (held_count == MOST || stat(path, &status) || !S_ISREG(status.st_mode)) return;
  held[held_count].device = status.st_dev;
  held[held_count++].inode = status.st_ino;
}

static int is_held(const struct stat *status) {
  for (int i = 0; i < held_count; i++)
    if (held[i].device == status->st_dev && held[i].inode == status->st_ino) return 1;
  return 0;
}

static void find_held(void) {
  char path[512];
  snprintf(path, sizeof path, "/proc/%d/fd", APP_PID);
  DIR *entries = opendir(path);
  for (struct dirent *entry; entries && (entry = readdir(entries));) {
    snprintf(path, sizeof path, "/proc/%d/fd/%s", APP_PID, entry->d_name);
    hold(path);
  }
  if (entries) closedir(entries);
  snprintf(path, sizeof path, "/proc/%d/maps", APP_PID);
  FILE *maps = fopen(path, "re");
  char *line = NULL, *name;
  size_t size = 0;
  while (maps && getline(&line, &size, maps) > 0) {
    line[strcspn(line, "\n")] = 0;
    if ((name = strstr(line, " /"))) hold(name + 1);
  }
  free(line);
  if (maps) fclose(maps);
}

/* The output, and, where files are kept, the file with their contents. */
static FILE *list;
static int contents = -1;
static uint64_t place;

/* The app is stopped: what is hashed is what was copied. */
static int copy_content(const char *path, uint64_t *bytes, uint64_t *hash) {
  static char chunk[CHUNK];
  ssize_t got = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  *bytes = 0;
  while (fd >= 0 && (got = read(fd, chunk, sizeof chunk)) > 0) {
    if (write(contents, chunk, got) != got) got = -1;
    if (got < 0) break;
    *bytes += got;
  }
  if (fd >= 0) close(fd);
  return fd < 0 || got < 0 || hash_file(path, *bytes, hash) ? -1 : 0;
}

/* One line: kind, whether it is held, mode, bytes, offset of the content and its XXH64, path and, of a link, its target. */
static int tell(const char *path, const struct stat *status, int held_only) {
  char target[4096] = "";
  uint64_t bytes = 0, hash = 0, at = place;
  char kind = S_ISREG(status->st_mode) ? 'f' : S_ISDIR(status->st_mode) ? 'd' : S_ISLNK(status->st_mode) ? 'l' : 0;
  if (!kind || (held_only && (kind != 'f' || !is_held(status)))) return 0;
  if (kind == 'f') bytes = status->st_size;
  if (kind == 'l') {
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
  }
  int readable = kind != 'f' || !access(path, R_OK);
  if (kind == 'f' && contents >= 0) {
    /* Of another user of the container, and not the app's to read: a start of the app would not have made it. */
    if (!readable && !is_held(status)) return 0;
    if (copy_content(path, &bytes, &hash)) {
      say("dotnet-snapshot: %s can't be kept: %s", path, strerror(errno));
      return -1;
    }
    place += bytes;
  }
  /* A line is one file's: a name with a line break in it can't be told. */
  if (strchr(path, '\n') || strchr(target, '\n')) return 0;
  fprintf(list, "%c %c %o %" PRIu64 " %" PRIu64 " %016" PRIx64 " %s%s%s", kind, is_held(status) ? 'h' : readable ? '-' : '!',
          (unsigned)(status->st_mode & 07777), bytes, at, hash, path, *target ? "\t" : "", target);
  putc('\n', list);
  return 0;
}

/* Lines of a variable, each a path. */
static int is_line_of(const char *lines, const char *path) {
  size_t length = strlen(path);
  for (const char *at = lines; at && (at = strstr(at, path)); at++)
    if ((at == lines || at[-1] == '\n') && (!at[length] || at[length] == '\n')) return 1;
  return 0;
}

/* What is under a folder, folders before what is in them. */
static int walk(const char *path, int is_root, int held_only, const char *leave) {
  struct stat status;
  if (lstat(path, &status) || is_line_of(leave, path)) return 0;
  if (!is_root && tell(path, &status, held_only)) return -1;
  if (!S_ISDIR(status.st_mode)) return 0;
  DIR *entries = opendir(path);
  int failed = 0;
  for (struct dirent *entry; entries && !failed && (entry = readdir(entries));) {
    char *inner;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (asprintf(&inner, "%s%s%s", path, path[1] ? "/" : "", entry->d_name) < 0) return -1;
    failed = walk(inner, 0, held_only, leave);
    free(inner);
  }
  if (entries) closedir(entries);
  return failed;
}

/* `+FOLDER`: all that is in it; `=FOLDER`: what of it the app has open or mapped; `.PATH`: the path alone. */
static int take(const char *word, const char *leave) {
  struct stat status;
  if (*word != '.') return walk(word + 1, 1, *word == '=', leave);
  return lstat(word + 1, &status) ? 0 : tell(word + 1, &status, 0);
}

int list_written(char **words) {
  list = stdout;
  find_held();
  for (; *words; words++)
    if (take(*words, "")) return 1;
  return 0;
}

int keep_files(void) {
  const char *action = getenv("CRTOOLS_SCRIPT_ACTION"), *folder = getenv("DOTNET_SNAPSHOT_KEEP");
  const char *leave = getenv("DOTNET_SNAPSHOT_LEAVE");
  char path[4096], *paths = strdup(getenv("DOTNET_SNAPSHOT_PLACES") ?: "");
  if (!action || strcmp(action, "post-dump")) return 0;
  snprintf(path, sizeof path, "%s/files.list", folder);
  list = fopen(path, "we");
  snprintf(path, sizeof path, "%s/files.bin", folder);
  contents = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  int failed = !list || contents < 0 || !paths;
  if (!failed) find_held();
  for (char *rest = paths, *one; !failed && (one = strsep(&rest, "\n"));) failed = *one && take(one, leave ?: "");
  if (list && fclose(list)) failed = 1;
  if (failed) say("dotnet-snapshot: the app's files can't be kept in %s: %s", folder, strerror(errno));
  return failed != 0;
}
