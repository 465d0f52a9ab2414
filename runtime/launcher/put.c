#define _GNU_SOURCE
#include "../restorer/plan.h"
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* In the policy of an entry of the plan, which is this process's own copy: this program has made the file. */
static const uint32_t made = 1u << 31;

static const char *path_of(const struct plan *plan, const struct kept *entry) { return text_of(plan, entry->path); }

static const char *cannot(const char *path) {
  const int reason = errno;
  const char *slash = strrchr(path, '/');
  int folder = slash && slash > path ? (int)(slash - path) : 1;
  return because("DS5009 the app's file %s can't be made: %s (it needs a place that can be written to: --tmpfs %.*s)", path, strerror(reason), folder, path);
}

/* Whether the file that is there is the one that the app had. */
static int is_same(const struct plan *plan, const struct kept *entry) {
  struct stat status;
  uint64_t hash;
  const char *path = path_of(plan, entry);
  return !stat(path, &status) && S_ISREG(status.st_mode) && (uint64_t)status.st_size == entry->bytes &&
         !hash_file(path, entry->bytes, &hash) && hash == entry->hash;
}

/*
 * The app goes on at the end of the file that is there. .NET writes to the position that it counts itself; with O_APPEND
 * the kernel writes to the end whatever position is named.
 */
static void append(struct plan *plan, const struct kept *entry) {
  struct descriptor *descriptors = (struct descriptor *)ENTRIES(plan, DESCRIPTORS, struct descriptor);
  for (uint32_t i = 0; i < COUNT(plan, DESCRIPTORS); i++)
    if (descriptors[i].kind == D_FILE && !strcmp(text_of(plan, descriptors[i].name), path_of(plan, entry))) descriptors[i].flags |= O_APPEND;
}

static const char *put_content(const char *path, int fd, int pages, const struct kept *entry) {
  off_t at = entry->offset;
  for (uint64_t left = entry->bytes; left;) {
    ssize_t sent = sendfile(fd, pages, &at, left);
    if (sent < 0 && errno == EINTR) continue;
    if (sent == 0) errno = EIO;
    if (sent <= 0) return cannot(path);
    left -= sent;
  }
  /* What was asked for at its making was less by the umask. */
  return fchmod(fd, entry->mode & 07777) ? cannot(path) : NULL;
}

static const char *put_file(struct plan *plan, struct kept *entry, int pages) {
  const char *path = path_of(plan, entry), *reason;
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EEXIST || !access(path, F_OK))) {
    if (entry->policy == KEPT_ANY || is_same(plan, entry)) return NULL;
    if (entry->policy == KEPT_SAME)
      return because("DS5008 %s is there already, and is not the file that the app had made at the checkpoint", path);
    append(plan, entry);
    return NULL;
  }
  if (fd < 0) return cannot(path);
  entry->policy |= made;
  reason = put_content(path, fd, pages, entry);
  close(fd);
  return reason;
}

static const char *put_entry(struct plan *plan, struct kept *entry, int pages) {
  const char *path = path_of(plan, entry);
  if (S_ISREG(entry->mode)) return put_file(plan, entry, pages);
  int failed = S_ISDIR(entry->mode) ? mkdir(path, 0700) : symlink(text_of(plan, entry->target), path);
  if (failed && (errno == EEXIST || !access(path, F_OK))) return NULL;
  if (failed) return cannot(path);
  entry->policy |= made;
  return NULL;
}

const char *put_files(const struct plan *given) {
  struct plan *plan = (struct plan *)given;
  struct kept *entries = (struct kept *)ENTRIES(plan, KEPT, struct kept);
  const char *reason = NULL;
  int pages = COUNT(plan, KEPT) ? open(PAGES_FILE, O_RDONLY | O_CLOEXEC) : -1;
  for (uint32_t i = 0; i < COUNT(plan, KEPT) && !reason; i++) reason = put_entry(plan, &entries[i], pages);
  /* Not before all is in them: a folder may be one that nobody writes to. */
  for (uint32_t i = COUNT(plan, KEPT); i-- > 0 && !reason;)
    if (S_ISDIR(entries[i].mode) && entries[i].policy & made) chmod(path_of(plan, &entries[i]), entries[i].mode & 07777);
  if (pages >= 0) close(pages);
  return reason;
}

/* A socket's file that the half-made or ended app has left: nobody answers there, and a normal start could not bind it. */
static void remove_socket(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat status;
  if (!*path || strlen(path) >= sizeof address.sun_path || lstat(path, &status) || !S_ISSOCK(status.st_mode)) return;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) && errno == ECONNREFUSED) unlink(path);
  close(fd);
}

void take_files_back(const struct plan *plan) {
  const struct descriptor *descriptors = ENTRIES(plan, DESCRIPTORS, struct descriptor);
  for (uint32_t i = 0; i < COUNT(plan, DESCRIPTORS); i++) {
    const struct unix_name *name = (const struct unix_name *)text_of(plan, descriptors[i].name);
    if (descriptors[i].kind == D_UNIX && name->bytes && name->bytes < sizeof name->path) remove_socket(name->path);
  }
  const struct kept *entries = ENTRIES(plan, KEPT, struct kept);
  for (uint32_t i = COUNT(plan, KEPT); i-- > 0;) {
    if (!(entries[i].policy & made)) continue;
    if (S_ISDIR(entries[i].mode)) rmdir(path_of(plan, &entries[i]));
    else unlink(path_of(plan, &entries[i]));
  }
}
