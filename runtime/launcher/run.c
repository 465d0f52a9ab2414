#define _GNU_SOURCE
#include "../restorer/restorer.h"
#include "launcher.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/*
 * What DOTNET_SNAPSHOT asks for. VERIFY is REQUIRE plus the control socket, for the build's own test of clones; RECORD is
 * VERIFY with each page read by itself, for the build's own look at which pages a clone needs.
 */
enum wish { PREFER, REQUIRE, VERIFY, RECORD, OFF };

static enum wish read_wish(void) {
  static const char *const words[] = {[REQUIRE] = "require", [VERIFY] = "verify", [RECORD] = "record", [OFF] = "off"};
  const char *wish = getenv("DOTNET_SNAPSHOT");
  for (enum wish known = REQUIRE; wish && known <= OFF; known++)
    if (!strcmp(wish, words[known])) return known;
  return PREFER;
}

/* --Section:Key=Value can only be configuration; any other word may mean another program to the app. */
static int is_configuration(const char *word) {
  const char *equals = strchr(word, '='), *colon = strchr(word, ':');
  return !strncmp(word, "--", 2) && equals && colon && colon < equals;
}

/* The words that `command` has beyond those that were checkpointed; NULL where it is another command. */
static char **further_arguments(const struct plan *plan, char **command) {
  for (uint32_t i = 0; i < COUNT(plan, COMMAND); i++, command++)
    if (!*command || strcmp(text_of(plan, ENTRIES(plan, COMMAND, text_at)[i]), *command)) return NULL;
  for (char **word = command; *word; word++)
    if (!is_configuration(*word)) return NULL;
  return command;
}

static double milliseconds_since(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - start->tv_sec) * 1e3 + (now.tv_nsec - start->tv_nsec) / 1e6;
}

/* Restores the app and runs it to its end, whose exit code it puts into `code`. Returns the reason where that can't be. */
static const char *restore_and_supervise(char **command, enum wish wish, int *code) {
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  const struct plan *plan;
  const char *reason = open_plan(PLAN_FILE, &plan);
  if (reason) return reason;
  char **further = further_arguments(plan, command);
  if (!further) return "DS5002 the container's command is not the one that was checkpointed";
  if ((reason = preflight(plan))) return reason;

  int to_app = -1, from_app = -1;
  const char *answer = restore(plan, wish == RECORD, further, &to_app, &from_app);
  if (strncmp(answer, "ok ", 3)) {
    end_descendants();
    take_files_back(plan);
    close(to_app);
    close(from_app);
    return answer;
  }
  double milliseconds = milliseconds_since(&start);
  say("dotnet-snapshot: restored in %.0f ms (snapshot %s), %s", milliseconds, text_of(plan, plan->snapshot), answer + 3);
  write_restored(text_of(plan, plan->snapshot), milliseconds, restore_steps(start.tv_sec * 1e3 + start.tv_nsec / 1e6));
  *code = supervise(plan->pid, wish == VERIFY || wish == RECORD ? control_listen() : -1, to_app, from_app);
  return NULL;
}

int run(char **command) {
  enum wish wish = read_wish();
  if (wish == OFF) {
    write_started_normally("DOTNET_SNAPSHOT=off");
    return start_normally(command);
  }

  /* Whatever the app leaves behind comes to this process, as it does where that is PID 1. */
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  /* Signals that arrive meanwhile wait, and reach the app once it is back. */
  sigset_t before;
  block_signals(&before);
  int code = 1;
  const char *reason = restore_and_supervise(command, wish, &code);
  if (!reason) return code;

  if (wish != PREFER) {
    say("%s; DOTNET_SNAPSHOT=%s forbids a normal start", reason, getenv("DOTNET_SNAPSHOT"));
    return 1;
  }
  say("%s; starting normally", reason);
  write_started_normally(reason);
  prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return start_normally(command);
}

int check_snapshot(void) {
  const struct plan *plan;
  const char *reason = open_plan(PLAN_FILE, &plan);
  if (!reason) reason = changed_file(plan);
  if (!reason) reason = damaged_pages(plan);
  if (reason) say("%s", reason);
  else say("dotnet-snapshot: snapshot %s is undamaged, and so are the app's files", text_of(plan, plan->snapshot));
  return reason != NULL;
}
