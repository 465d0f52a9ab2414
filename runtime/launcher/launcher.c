/*
 * launcher: the entrypoint (PID 1) of every container that dotnet-snapshot starts or builds.
 *
 *   launcher run -- COMMAND…      production: restore the snapshot of COMMAND, or exec COMMAND itself
 *   launcher check                production: read the whole snapshot and say whether it is undamaged
 *   launcher warm -- COMMAND…     build: start COMMAND so that it can be checkpointed, and serve `control`
 *   launcher control              build: pass each line of standard input to the companion inside the app, print its answers
 *   launcher files                build: list what the app has mapped
 *   launcher processes            build: list what else runs in the container, and what the entrypoint did to its variables
 *   launcher ports                build: list the ports that programs of this container listen on
 *   launcher written -- WORD…     build: list the files that the app has made at these places
 *   launcher touched              build: list the pages of the snapshot that a restored app has asked for
 *   launcher sockets              build: print the kernel's tables of sockets, to see where the app listens
 *   launcher exists -- PATH       build: exit code 0 where there is such a file
 *
 * Any other words start the app's own program with them: the restored app finds this file as /proc/self/exe, and may start
 * itself once more. Static, so that it needs nothing of the image it lives in, and without any privilege.
 */
#define _GNU_SOURCE
#include "../restorer/plan.h"
#include "launcher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int start_normally(char **command) {
  execvp(command[0], command);
  say("dotnet-snapshot: can't run %s: %s", command[0], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}

static int usage(void) {
  say("usage: launcher run|warm -- COMMAND...  |  launcher check  |  launcher control  |  launcher files  |  launcher processes  |  launcher ports  |  launcher touched  |  "
      "launcher sockets  |  launcher exists -- PATH  |  launcher written -- WORD...");
  return 2;
}

/* What a restored app starts when it starts /proc/self/exe, which the kernel lets nobody change without a privilege. */
static int start_program(char **words) {
  const struct plan *plan;
  if (open_plan(PLAN_FILE, &plan)) return usage();
  words[0] = (char *)text_of(plan, plan->program);
  execv(words[0], words);
  say("dotnet-snapshot: can't run %s: %s", words[0], strerror(errno));
  return 127;
}

int main(int count, char **words) {
  /* As CRIU's action script it gets no words. */
  if (count < 2 && getenv("DOTNET_SNAPSHOT_KEEP")) return keep_files();
  if (count < 2) return start_program(words);
  const char *mode = words[1];
  if (count == 2 && !strcmp(mode, "files")) return list_files();
  if (count == 2 && !strcmp(mode, "touched")) return list_touched();
  if (count == 2 && !strcmp(mode, "processes")) return list_processes();
  if (count == 2 && !strcmp(mode, "ports")) return list_ports();
  if (count == 2 && !strcmp(mode, "sockets")) return list_sockets();
  if (count == 2 && !strcmp(mode, "check")) return check_snapshot();
  if (count == 2 && !strcmp(mode, "control")) return control_client();
  if (count > 3 && !strcmp(words[2], "--")) {
    if (!strcmp(mode, "exists")) return there_is(words[3]);
    if (!strcmp(mode, "warm")) return warm(words + 3);
    if (!strcmp(mode, "written")) return list_written(words + 3);
    if (!strcmp(mode, "run")) return run(words + 3);
  }
  return start_program(words);
}
