#define _GNU_SOURCE
#include "launcher.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A tmpfs of the container's own, which also one with a read-only root has; /tmp where there is none. */
static const char *const places[] = {"/dev/shm", "/tmp"};

/* Whoever reads the file finds all of it or nothing. That it can't be written is no reason to fail. */
static void write_outcome(const char *json) {
  char temporary[64], path[64];
  for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
    snprintf(path, sizeof path, "%s/dotnet-snapshot.json", places[i]);
    snprintf(temporary, sizeof temporary, "%s/.dotnet-snapshot.json.%d", places[i], getpid());
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) continue;
    int written = dprintf(fd, "%s", json);
    close(fd);
    if (written > 0 && !rename(temporary, path)) return;
    unlink(temporary);
  }
}

void write_restored(const char *snapshot, double milliseconds, const char *steps) {
  char json[512];
  snprintf(json, sizeof json, "{\"restored\":true,\"snapshot\":\"%.100s\",\"milliseconds\":%.1f,\"steps\":{%s}}\n", snapshot, milliseconds, steps);
  write_outcome(json);
}

void write_started_normally(const char *reason) {
  char text[2048], json[2100];
  size_t length = 0;
  for (; *reason && length < sizeof text - 8; reason++) {
    unsigned char letter = *reason;
    if (letter == '"' || letter == '\\') length += snprintf(text + length, 3, "\\%c", letter);
    else if (letter < ' ') length += snprintf(text + length, 7, "\\u%04x", letter);
    else text[length++] = letter;
  }
  text[length] = 0;
  snprintf(json, sizeof json, "{\"restored\":false,\"reason\":\"%s\"}\n", text);
  write_outcome(json);
}
