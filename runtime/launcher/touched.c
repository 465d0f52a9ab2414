#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bits of an entry of /proc/PID/pagemap, one for each page. */
static const uint64_t in_memory = 1ULL << 63, swapped = 1ULL << 62, of_file = 1ULL << 61;

enum { ENTRIES = 512 };

/* A page of the snapshot that was not asked for, one that was only read, and one that the app has a copy of its own of. */
enum use { UNUSED = 0, READ = 'r', WRITTEN = 'w', OTHER_FILE = 'f' };

static enum use use_of(uint64_t entry) {
  if (entry & of_file) return entry & in_memory ? READ : UNUSED;
  return entry & (in_memory | swapped) ? WRITTEN : UNUSED;
}

/*
 * Lines `r START-END` and `w START-END` of the pages from `start` to `end`; of other files than the snapshot `f START-END`
 * for what is in memory.
 */
static int list_runs(int pagemap, uint64_t start, uint64_t end, uint64_t page, int is_snapshot) {
  uint64_t entries[ENTRIES], run = start;
  enum use last = UNUSED;
  for (uint64_t address = start; address < end;) {
    size_t wanted = (end - address) / page < ENTRIES ? (end - address) / page : ENTRIES;
    ssize_t got = pread(pagemap, entries, wanted * sizeof *entries, address / page * sizeof *entries);
    if (got <= 0) return -1;
    for (size_t i = 0; i < got / sizeof *entries; i++, address += page) {
      enum use use = use_of(entries[i]);
      if (use && !is_snapshot) use = entries[i] & of_file ? OTHER_FILE : UNUSED;
      if (use == last) continue;
      if (last) printf("%c %" PRIx64 "-%" PRIx64 "\n", last, run, address);
      run = address;
      last = use;
    }
  }
  if (last) printf("%c %" PRIx64 "-%" PRIx64 "\n", last, run, end);
  return 0;
}

/* `launcher touched`: what the restored app has read and written of the pages that are mapped from its snapshot, and what of other files. */
int list_touched(void) {
  char path[64], line[4096];
  snprintf(path, sizeof path, "/proc/%d/pagemap", APP_PID);
  int pagemap = open(path, O_RDONLY | O_CLOEXEC), failed = pagemap < 0;
  snprintf(path, sizeof path, "/proc/%d/maps", APP_PID);
  FILE *maps = fopen(path, "re");
  while (!failed && maps && fgets(line, sizeof line, maps)) {
    uint64_t start, end;
    if (strstr(line, " /") && sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2)
      failed = list_runs(pagemap, start, end, sysconf(_SC_PAGESIZE), strstr(line, " " PAGES_FILE "\n") != NULL);
  }
  if (failed || !maps) say("dotnet-snapshot: the app's pages can't be looked at: %s", strerror(errno));
  if (maps) fclose(maps);
  if (pagemap >= 0) close(pagemap);
  return failed || !maps;
}
