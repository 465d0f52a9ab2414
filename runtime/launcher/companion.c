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

/* Writes what is left of the line, as long as somebody reads; with no patience, what the pipe takes by itself. */
static int write_rest(struct line *line, int fd, int timeout_ms) {
  while (line->written < line->length) {
    struct pollfd target = {.fd = fd, .events = POLLOUT};
    if (poll(&target, 1, timeout_ms) <= 0) return -1;
    ssize_t written = write(fd, line->text + line->written, line->length - line->written);
    if (written < 0) return -1;
    line->written += written;
  }
  return 0;
}

int make_line(struct line *line, const char *snapshot, char **arguments) {
  FILE *stream = open_memstream(&line->text, &line->length);
  if (!stream) return -1;
  fprintf(stream, "restored %s", snapshot);
  for (char **variable = environ; *variable; variable++) put_word(stream, 'e', *variable);
  for (char **argument = arguments; *argument; argument++) put_word(stream, 'a', *argument);
  putc('\n', stream);
  return fclose(stream) ? -1 : 0;
}

void start_line(struct line *line, int to_app) {
  fcntl(to_app, F_SETFL, O_NONBLOCK);
  write_rest(line, to_app, 0);
}

const char *end_line(struct line *line, int to_app, int from_app, int timeout_ms) {
  static char answer[LINE];
  size_t got = write_rest(line, to_app, timeout_ms) ? 0 : read_line(from_app, answer, timeout_ms);
  if (!got) return NULL;
  answer[got - 1] = 0;
  return answer;
}
