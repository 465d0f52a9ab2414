/*
 * launcher: the entrypoint (PID 1) of every container that dotnet-snapshot starts or builds.
 *
 *   launcher run -- COMMAND…      production: restore the snapshot of COMMAND, or exec COMMAND itself
 *   launcher warm -- COMMAND…     build: start COMMAND so that it can be checkpointed, and serve `control`
 *   launcher control WORDS…       build: pass one line to the companion inside the app and print its answer
 *   launcher files                build: list what the app has mapped, as the launch file states it
 *   launcher criu ARGUMENTS…      run the bundled criu with the capabilities this file carries
 *
 * Static, so that it needs nothing of the image it lives in. It carries its capabilities as file
 * capabilities without the effective bit: where the container does not grant one, exec still works and
 * the launcher can say what is missing. criu itself carries none; it gets them as ambient capabilities.
 */
#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void say(const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length > (int)sizeof line - 2) length = sizeof line - 2;
  line[length++] = '\n';
  /* One write, so that the line is not torn by the app's own output. */
  if (write(STDERR_FILENO, line, length) < 0) return;
}

const char *because(const char *format, ...) {
  static char reason[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  return reason;
}

int start_normally(char **command) {
  environ = app_environment();
  execvp(command[0], command);
  say("dotnet-snapshot: can't run %s: %s", command[0], strerror(errno));
  return errno == ENOENT ? 127 : 126;
}

/*
 * User, group and supplementary groups, as `UID:GID:GROUP,GROUP`. Without privileges a process can't take on others,
 * so a snapshot restores only where they are the same; criu would hang over it.
 */
const char *identity(void) {
  static char text[1024];
  gid_t groups[64];
  int count = getgroups(sizeof groups / sizeof *groups, groups);
  size_t length = snprintf(text, sizeof text, "%d:%d:", getuid(), getgid());
  for (int i = 0; i < count; i++) length += snprintf(text + length, sizeof text - length, i ? ",%d" : "%d", groups[i]);
  return text;
}

static int usage(void) {
  say("usage: launcher run|warm -- COMMAND...  |  launcher control WORDS...  |  launcher files  |  launcher criu ARGUMENTS...");
  return 2;
}

int main(int count, char **words) {
  keep_environment(count, words);
  if (count == 2 && !strcmp(words[1], "files")) return list_files();
  if (count == 2 && !strcmp(words[1], "written")) return list_written();
  if (count < 3) return usage();
  const char *mode = words[1];
  if (!strcmp(mode, "control")) return control_client(words + 2);
  if (!strcmp(mode, "criu")) {
    if (grant_ambient_capabilities()) return 1;
    words[1] = CRIU;
    execv(CRIU, words + 1);
    say("dotnet-snapshot: can't run %s: %s", CRIU, strerror(errno));
    return 127;
  }
  if (strcmp(words[2], "--") || count < 4) return usage();
  if (!strcmp(mode, "warm")) return warm(words + 3);
  if (!strcmp(mode, "run")) return run(words + 3);
  return usage();
}
