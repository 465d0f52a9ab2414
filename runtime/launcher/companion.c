#define _GNU_SOURCE
#include "launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One word of the line, with what would end a word or the line written as %XX. */
static void put_word(FILE *line, char kind, const char *text) {
  fprintf(line, " %c:", kind);
  for (; *text; text++) {
    if (strchr("% \n\r", *text)) fprintf(line, "%%%02X", (unsigned char)*text);
    else putc(*text, line);
  }
}

/* Writes all of it to a pipe that may be shorter, as long as somebody reads. */
static int write_all(int fd, const char *text, size_t length, int timeout_ms) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  while (length) {
    struct pollfd target = {.fd = fd, .events = POLLOUT};
    if (poll(&target, 1, timeout_ms) <= 0) return -1;
    ssize_t written = write(fd, text, length);
    if (written < 0) return -1;
    text += written;
    length -= written;
  }
  return 0;
}

const char *tell_restored(const char *snapshot, char **arguments, int to_app, int from_app, int timeout_ms) {
  static char answer[LINE];
  char *text = NULL;
  size_t length = 0;
  FILE *line = open_memstream(&text, &length);
  if (!line) return "DS5005 no memory left";
  fprintf(line, "restored %s", snapshot);
  for (char **variable = environ; *variable; variable++) put_word(line, 'e', *variable);
  for (char **argument = arguments; *argument; argument++) put_word(line, 'a', *argument);
  putc('\n', line);
  fclose(line);
  int failed = write_all(to_app, text, length, timeout_ms);
  free(text);
  size_t got = failed ? 0 : read_line(from_app, answer, timeout_ms);
  if (!got) return "DS5005 the companion in the app did not answer in time";
  answer[got - 1] = 0;
  return answer;
}
