#define _GNU_SOURCE
#include "launcher.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/*
 * The variables of the container. A program with file capabilities is `secure` to glibc, which takes LD_LIBRARY_PATH,
 * LD_PRELOAD, GLIBC_TUNABLES, TMPDIR, MALLOC_ARENA_MAX and others out of `environ` before main. That is right for this program
 * and for criu, but the app has no such capabilities, and a container that starts it without us leaves it all of them.
 * glibc only drops the pointers: the kernel has laid the strings one after the other, from the last word of the
 * command up to the program's own path.
 */
static char **container;

void keep_environment(int count, char **words) {
  const char *end = (const char *)getauxval(AT_EXECFN);
  char *first = words[count - 1] + strlen(words[count - 1]) + 1;
  if (!end || end < first) return;
  size_t variables = 0;
  for (const char *text = first; text < end; text += strlen(text) + 1) variables++;
  char **list = calloc(variables + 1, sizeof *list);
  if (!list) return;
  size_t number = 0;
  for (char *text = first; text < end; text += strlen(text) + 1) list[number++] = text;
  container = list;
}

char **app_environment(void) { return container ? container : environ; }
