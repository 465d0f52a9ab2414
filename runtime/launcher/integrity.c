#define _GNU_SOURCE
#define XXH_INLINE_ALL
#define XXH_NO_XXH3
#include "../restorer/plan.h"
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* Half of a small CPU's second cache: what read() has copied is still there when it is hashed. */
enum { CHUNK = 128 * 1024 };

/* XXH64 finds damage, not an attack: who can write the snapshot can write its digests too. Returns -1 with errno. */
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

int hash_assemblies(const char *folder, long long *count, uint64_t *hash) {
  DIR *entries = opendir(folder);
  *count = 0, *hash = 0;
  for (struct dirent *entry; entries && (entry = readdir(entries));) {
    size_t length = strlen(entry->d_name);
    if (length < 4 || strcasecmp(entry->d_name + length - 4, ".dll")) continue;
    /* A sum, for a folder has no order. */
    *hash += XXH64(entry->d_name, length, 0);
    ++*count;
  }
  return entries ? closedir(entries) : -1;
}

uint64_t hash_bytes(const void *bytes, size_t count) { return XXH64(bytes, count, 0); }

static const char *damaged(long long bytes, uint64_t expected) {
  uint64_t hash;
  if (hash_file(PAGES_FILE, bytes, &hash)) return because("DS5007 the snapshot is damaged: " PAGES_FILE " can't be read (%s)", strerror(errno));
  return hash == expected ? NULL : "DS5007 the snapshot is damaged: the content of " PAGES_FILE " has changed";
}

const char *damaged_hot(const struct plan *plan) { return plan->hot_bytes ? damaged(plan->hot_bytes, plan->hot_hash) : NULL; }

const char *damaged_pages(const struct plan *plan) { return damaged(plan->pages_bytes, plan->pages_hash); }

/* Tools that copy or rebuild images rewrite times. Only then the content is read. */
const char *changed_file(const struct plan *plan) {
  const struct app_file *files = ENTRIES(plan, FILES, struct app_file);
  for (uint32_t i = 0; i < COUNT(plan, FILES); i++) {
    const char *path = text_of(plan, files[i].path);
    struct stat status;
    uint64_t hash;
    long long assemblies;
    if (*path && path[strlen(path) - 1] == '/') {
      if (hash_assemblies(path, &assemblies, &hash) || assemblies != files[i].bytes || hash != files[i].hash)
        return because("DS5008 %s has other assemblies than at the checkpoint", path);
      continue;
    }
    if (stat(path, &status)) return because("DS5008 %s was there at the checkpoint (%s)", path, strerror(errno));
    if (status.st_size == files[i].bytes && status.st_mtime == files[i].modified) continue;
    if (status.st_size != files[i].bytes || hash_file(path, files[i].bytes, &hash) || hash != files[i].hash)
      return because("DS5008 %s has changed after the checkpoint", path);
  }
  return NULL;
}
