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

/* Runs of pages from `start` to `end` that are no longer those of the file. */
static int list_runs(int pagemap, uint64_t start, uint64_t end, uint64_t page) {
  uint64_t entries[ENTRIES], run = 0;
  for (uint64_t address = start; address < end;) {
    size_t wanted = (end - address) / page < ENTRIES ? (end - address) / page : ENTRIES;
    ssize_t got = pread(pagemap, entries, wanted * sizeof *entries, address / page * sizeof *entries);
    if (got <= 0) return -1;
    for (size_t i = 0; i < got / sizeof *entries; i++, address += page) {
      int written = (entries[i] & (in_memory | swapped)) && !(entries[i] & of_file);
      if (written && !run) run = address;
      if (!written && run) printf("%" PRIx64 "-%" PRIx64 "\n", run, address), run = 0;
    }
  }
  if (run) printf("%" PRIx64 "-%" PRIx64 "\n", run, end);
  return 0;
}

/* `launcher written`: what the restored app has written of the pages that are mapped from its snapshot, START-END a line. */
int list_written(void) {
  char path[64], line[4096];
  snprintf(path, sizeof path, "/proc/%d/pagemap", APP_PID);
  int pagemap = open(path, O_RDONLY | O_CLOEXEC), failed = pagemap < 0;
  snprintf(path, sizeof path, "/proc/%d/maps", APP_PID);
  FILE *maps = fopen(path, "re");
  while (!failed && maps && fgets(line, sizeof line, maps)) {
    uint64_t start, end;
    if (strstr(line, " " SNAPSHOT "/pages-") && sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2)
      failed = list_runs(pagemap, start, end, sysconf(_SC_PAGESIZE));
  }
  if (failed || !maps) say("dotnet-snapshot: the app's pages can't be looked at: %s", strerror(errno));
  if (maps) fclose(maps);
  if (pagemap >= 0) close(pagemap);
  return failed || !maps;
}
