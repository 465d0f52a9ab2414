#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LISTENS = 0x0A };

/* Docker's own server of names, in containers of a network that the user made. */
static const char engine[] = "0B00007F";

/* Lines `listen PORT` of the container's TCP sockets; a port comes once for each address. */
int list_ports(void) {
  static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
  for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++) {
    char line[512], address[64];
    unsigned port, state;
    FILE *lines = fopen(tables[i], "re");
    if (!lines && errno != ENOENT) {
      say("dotnet-snapshot: %s: %s", tables[i], strerror(errno));
      return 1;
    }
    while (lines && fgets(line, sizeof line, lines))
      if (sscanf(line, " %*u: %63[0-9A-F]:%x %*s %x", address, &port, &state) == 3 && state == LISTENS && strcmp(address, engine))
        printf("listen %u\n", port);
    if (lines) fclose(lines);
  }
  return 0;
}
