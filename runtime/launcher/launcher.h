#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#define PREFIX "/opt/dotnet-snapshot"
#define CRIU PREFIX "/bin/criu"
#define SNAPSHOT PREFIX "/checkpoint"
#define LAUNCH_FILE PREFIX "/launch"

/* The PID that a warmed app gets. PIDs in a new container count up from 1, so it is free at the restore. */
#define APP_PID 1000

/* Descriptors under which the app finds its control pipes; high, so that no app's own use collides. */
#define CONTROL_IN 900
#define CONTROL_OUT 901

/* The longest line either way between launcher and companion. */
enum { LINE = 65536 };

/* launcher.c. because() is say() for a reason: its text is good until its next call. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *because(const char *format, ...) __attribute__((format(printf, 1, 2)));
int start_normally(char **command);
const char *identity(void);

/* launch.c: what the restore needs of the snapshot's manifest, as the launch file states it: `key value` lines. */
struct content {
  uint64_t hash; /* XXH64, seed 0 */
  long long bytes, modified; /* modified: seconds since 1970, 0 for image files */
  const char *path; /* of an image file: its name */
};
struct launch {
  const char *snapshot, *identity, *architecture, *isa, *cpu, *tids, *reserved, *out, *err, *control_in, *control_out;
  long long memory; /* bytes */
  int answer_ms;
  struct content *images, *files;
  int image_count, file_count;
  char **sockets; /* paths that the app is bound to, NULL at the end */
  char **command; /* NULL at the end */
};
/* Fills `launch`, whose strings live as long as the process. Returns the reason where the file can't be used. */
const char *read_launch(struct launch *launch);

/* preflight.c: the reason for which this container can't restore the snapshot, or NULL. Takes about a millisecond. */
const char *preflight(const struct launch *launch);

/*
 * integrity.c: the reason for which the snapshot, or the app and its runtime, are not those of the checkpoint, or NULL.
 * Of the large pages-*.img damaged_images() looks only at the size; damaged_pages() reads them whole.
 */
const char *damaged_images(const struct launch *launch);
const char *damaged_pages(const struct launch *launch);
const char *changed_file(const struct launch *launch);
int hash_file(const char *path, long long bytes, uint64_t *hash);

/* environment.c: the variables of the container, for the app alone; `environ` lacks those that glibc takes from a program with capabilities. */
void keep_environment(int count, char **words);
char **app_environment(void);

/* cpu.c: see there */
const char *missing_cpu_features(const char *needed);
const char *highest_isa(void);

/* capabilities.c. The name of a capability that a restore needs and this process can't get; NULL where it has both. */
int grant_ambient_capabilities(void);
int drop_all_capabilities(void);
const char *missing_capability(int *in_bounding_set);

/*
 * restore.c: criu, and the check of files and pages beside it. Returns the companion's answer, `ok …`, or the reason for which
 * the app must not live; what is left of it is then to be ended.
 */
const char *restore(const struct launch *launch, char **further, int *to_app, int *from_app);

/* outcome.c: the file that says how the app was started, one line of JSON, for whoever asks in the container */
void write_restored(const char *snapshot, double milliseconds);
void write_started_normally(const char *reason);

/* files.c: `launcher files` */
int list_files(void);

/* written.c: `launcher written` */
int list_written(void);

/* supervise.c: what PID 1 owes its child */
void block_signals(sigset_t *before);
int supervise(pid_t app, int control_socket, int to_app, int from_app);
void end_descendants(void);
int exit_code(int wait_status);
void wait_for_others(int timeout_ms);

/* control.c: one line in, one line out */
int control_listen(void);
void control_serve(int socket, int to_app, int from_app);
int control_client(char **words);
size_t read_line(int fd, char *line, int timeout_ms);

/*
 * companion.c: what the restored app must know. start_line() writes it into the pipe, if it can before criu has ended:
 * the companion reads it as soon as its thread runs again, while criu still cleans up. The answer is `ok MILLISECONDS…`,
 * or a code and the reason for which the app must not live.
 */
struct line {
  char *text;
  size_t length, written;
};
int make_line(struct line *line, const char *snapshot, char **arguments);
void start_line(struct line *line, int to_app);
const char *end_line(struct line *line, int to_app, int from_app, int timeout_ms);

/* warm.c, run.c */
int warm(char **command);
int run(char **command);

#endif
