#define _GNU_SOURCE
#define XXH_INLINE_ALL
#define XXH_NO_XXH3
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* Half of a small CPU's second cache: what read() has copied is still there when it is hashed. */
enum { CHUNK = 128 * 1024 };

/* XXH64 finds damage, not an attack: who can write the snapshot can write the launch file too. Returns -1 with errno. */
static int hash_open_file(int fd, long long bytes, uint64_t *hash) {
  static char chunk[CHUNK];
  XXH64_state_t state;
  XXH64_reset(&state, 0);
  while (bytes > 0) {
    ssize_t got = read(fd, chunk, bytes < CHUNK ? bytes : CHUNK);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO;
    if (got <= 0) return -1;
    XXH64_update(&state, chunk, got);
    bytes -= got;
  }
  *hash = XXH64_digest(&state);
  return 0;
}

int hash_file(const char *path, long long bytes, uint64_t *hash) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  int failed = fd < 0 || hash_open_file(fd, bytes, hash);
  if (fd >= 0) close(fd);
  return failed ? -1 : 0;
}

static int is_pages(const struct content *image) {
  return !strncmp(image->path, "pages-", 6);
}

static const char *damaged(int folder, const struct content *image, int read_whole) {
  struct stat status;
  uint64_t hash;
  const char *reason = NULL;
  int fd = openat(folder, image->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status))
    reason = because("DS5007 the snapshot is damaged: %s can't be opened (%s)", image->path, strerror(errno));
  else if (status.st_size != image->bytes)
    reason = because("DS5007 the snapshot is damaged: %s has %lld bytes instead of %lld", image->path, (long long)status.st_size, image->bytes);
  else if (read_whole && hash_open_file(fd, image->bytes, &hash))
    reason = because("DS5007 the snapshot is damaged: %s can't be read (%s)", image->path, strerror(errno));
  else if (read_whole && hash != image->hash)
    reason = because("DS5007 the snapshot is damaged: the content of %s has changed", image->path);
  if (fd >= 0) close(fd);
  return reason;
}

const char *damaged_images(const struct launch *launch) {
  int folder = open(SNAPSHOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const char *reason = NULL;
  for (int i = 0; i < launch->image_count && !reason; i++)
    reason = damaged(folder, &launch->images[i], !is_pages(&launch->images[i]));
  close(folder);
  return reason;
}

const char *damaged_pages(const struct launch *launch) {
  int folder = open(SNAPSHOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const char *reason = NULL;
  for (int i = 0; i < launch->image_count && !reason; i++)
    if (is_pages(&launch->images[i])) reason = damaged(folder, &launch->images[i], 1);
  close(folder);
  return reason;
}

/* Tools that copy or rebuild images rewrite times. Only then the content is read. */
const char *changed_file(const struct launch *launch) {
  for (int i = 0; i < launch->file_count; i++) {
    const struct content *file = &launch->files[i];
    struct stat status;
    uint64_t hash;
    if (stat(file->path, &status)) return because("DS5008 %s was there at the checkpoint (%s)", file->path, strerror(errno));
    if (status.st_size == file->bytes && status.st_mtime == file->modified) continue;
    if (status.st_size != file->bytes || hash_file(file->path, file->bytes, &hash) || hash != file->hash)
      return because("DS5008 %s has changed after the checkpoint", file->path);
  }
  return NULL;
}
