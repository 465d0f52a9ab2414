#define _GNU_SOURCE
#include "../restorer/restorer.h"
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Why the app is gone: what it said itself while it was made, or how it ended. */
static const char *lost(pid_t app) {
  int status;
  const char *reason = restore_reason();
  if (reason) return because("%s", reason);
  if (waitpid(app, &status, WNOHANG) == app && WIFSIGNALED(status))
    return because("DS5002 the app was ended by signal %d (%s) while it was restored", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return "DS5005 the companion in the app did not answer in time";
}

const char *restore(const struct plan *plan, int record, char **further, int *to_app, int *from_app) {
  int to[2], from[2];
  struct line line = {0};
  const char *reason = NULL, *answer = NULL;
  if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC) || make_line(&line, text_of(plan, plan->snapshot), further))
    return because("DS5009 no descriptors or no memory are left: %s", strerror(errno));
  if ((reason = put_files(plan))) return reason;
  const int inherited[4] = {STDOUT_FILENO, STDERR_FILENO, to[0], from[1]};
  pid_t app = start_restore(plan, PAGES_FILE, inherited, record, &reason);
  close(to[0]);
  close(from[1]);
  /* Beside the restore: no thread of the app runs before all is known to be good. */
  if (!reason) {
    prefetch(plan);
    reason = changed_file(plan);
    if (!reason) reason = damaged_hot(plan);
    if (!reason) start_line(&line, to[1]);
    decide(reason ? GIVE_UP : LET_GO);
  }
  if (!reason) {
    answer = end_line(&line, to[1], from[0], plan->answer_ms);
    if (!answer) reason = lost(app);
  }
  free(line.text);
  *to_app = to[1];
  *from_app = from[0];
  return reason ? reason : answer;
}
