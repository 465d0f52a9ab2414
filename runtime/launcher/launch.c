#define _GNU_SOURCE
#include "launcher.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The launch files that this launcher reads. */
#define FORMAT "2"

/* The whole file, or NULL. */
static char *read_whole(const char *path) {
  struct stat status;
  char *text = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  if (!fstat(fd, &status) && (text = malloc(status.st_size + 1))) {
    if (read(fd, text, status.st_size) == status.st_size) text[status.st_size] = 0;
    else free(text), text = NULL;
  }
  close(fd);
  return text;
}

static int count_lines(const char *text) {
  int lines = 0;
  for (; (text = strchr(text, '\n')); text++) lines++;
  return lines;
}

/* `HASH BYTES NAME` */
static int read_image(char *value, struct content *image) {
  char *end;
  image->hash = strtoull(value, &end, 16);
  image->bytes = strtoll(end, &end, 10);
  image->path = end + 1;
  return *end == ' ' && image->path[0];
}

/* `BYTES MTIME HASH PATH` */
static int read_file(char *value, struct content *file) {
  char *end;
  file->bytes = strtoll(value, &end, 10);
  file->modified = strtoll(end, &end, 10);
  file->hash = strtoull(end, &end, 16);
  file->path = end + 1;
  return *end == ' ' && file->path[0] == '/';
}

const char *read_launch(struct launch *launch) {
  char *text = read_whole(LAUNCH_FILE), *line;
  if (!text) return "DS5007 this image holds no snapshot: it has no launch file that can be read";
  if (strncmp(text, "format " FORMAT "\n", strlen("format " FORMAT "\n"))) {
    int known = !strncmp(text, "format ", 7);
    return because("DS5007 the snapshot's launch file is of format %.*s, this launcher reads format " FORMAT,
                   known ? (int)strcspn(text + 7, "\n") : 1, known ? text + 7 : "1");
  }

  const struct { const char *key; const char **value; } texts[] = {
      {"snapshot", &launch->snapshot}, {"identity", &launch->identity}, {"architecture", &launch->architecture},
      {"isa", &launch->isa}, {"cpu", &launch->cpu}, {"tids", &launch->tids}, {"reserved", &launch->reserved}, {"stdout", &launch->out}, {"stderr", &launch->err},
      {"control-in", &launch->control_in}, {"control-out", &launch->control_out}};
  const int count = sizeof texts / sizeof *texts, lines = count_lines(text);
  int words = 0, sockets = 0;
  launch->images = calloc(lines, sizeof *launch->images);
  launch->files = calloc(lines, sizeof *launch->files);
  launch->command = calloc(lines + 1, sizeof *launch->command);
  launch->sockets = calloc(lines + 1, sizeof *launch->sockets);
  if (!launch->images || !launch->files || !launch->command || !launch->sockets) return "DS5009 no memory is left";

  strsep(&text, "\n");
  while ((line = strsep(&text, "\n")) && *line) {
    char *value = strchr(line, ' ');
    if (!value) return because("DS5007 the launch file has a line without a value: %.100s", line);
    *value++ = 0;
    int i = 0;
    while (i < count && strcmp(line, texts[i].key)) i++;
    if (i < count) *texts[i].value = value;
    else if (!strcmp(line, "memory")) launch->memory = atoll(value);
    else if (!strcmp(line, "answer-seconds")) launch->answer_ms = atoi(value) * 1000;
    else if (!strcmp(line, "image") && read_image(value, &launch->images[launch->image_count])) launch->image_count++;
    else if (!strcmp(line, "file") && read_file(value, &launch->files[launch->file_count])) launch->file_count++;
    else if (!strcmp(line, "socket")) launch->sockets[sockets++] = value;
    else if (!strcmp(line, "command")) launch->command[words++] = value;
    else return because("DS5007 the launch file has a line that can't be understood: %.40s %.100s", line, value);
  }
  for (int i = 0; i < count; i++)
    if (!*texts[i].value) return because("DS5007 the launch file has no line %s", texts[i].key);
  if (launch->answer_ms <= 0 || launch->memory <= 0 || !words || !launch->image_count) return "DS5007 the launch file is not complete";
  return NULL;
}
