#define _GNU_SOURCE
#include "../restorer/plan.h"
#include "launcher.h"

#include <fcntl.h>
#include <unistd.h>

/* What is in the page cache already costs next to nothing. Where a file can't be opened, the restore will say so. */
void prefetch(const struct plan *plan) {
  const struct prefetch *entries = ENTRIES(plan, PREFETCH, struct prefetch);
  int fd = open(PAGES_FILE, O_RDONLY | O_CLOEXEC);

  text_at path = 0;
  for (uint32_t i = 0; i < COUNT(plan, PREFETCH); i++) {
    if (entries[i].path != path) {
      if (fd >= 0) close(fd);
      path = entries[i].path;
      fd = open(text_of(plan, path), O_RDONLY | O_CLOEXEC);
    }
    if (fd >= 0) posix_fadvise(fd, entries[i].offset, entries[i].bytes, POSIX_FADV_WILLNEED);
  }
  if (fd >= 0) close(fd);
}
