#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Another one only for tests on a machine. */
#ifndef PREFIX
#define PREFIX "/opt/dotnet-snapshot"
#endif
#define PLAN_FILE PREFIX "/plan"
#define PAGES_FILE PREFIX "/pages"

/*
 * The PID that a warmed app gets. A new container's numbers count up from 1: those below are for what runs before the app
 * does (the container runtime's own threads, an init, a few commands of an entry script), and each that is left over costs
 * some microseconds at the restore.
 */
#define APP_PID 64

/* Descriptors under which the app finds its control pipes; high, so that no app's own use collides. */
#define CONTROL_IN 900
#define CONTROL_OUT 901

/* The longest line either way between launcher and companion. */
enum { LINE = 65536 };

struct plan;

/* say.c. because() is say() for a reason: its text is good until its next call. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *because(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* launcher.c */
int start_normally(char **command);

/* preflight.c: the reason for which this container can't restore the snapshot, or NULL. Takes less than a millisecond. */
const char *preflight(const struct plan *plan);

/*
 * integrity.c: the reason for which the snapshot, or the app and its runtime, are not those of the checkpoint, or NULL.
 * damaged_hot() reads the part of the pages file that the first answer needs, damaged_pages() all of it.
 */
uint64_t hash_bytes(const void *bytes, size_t count);
int hash_assemblies(const char *folder, long long *count, uint64_t *hash);
int hash_file(const char *path, long long bytes, uint64_t *hash);
const char *damaged_hot(const struct plan *plan);
const char *damaged_pages(const struct plan *plan);
const char *changed_file(const struct plan *plan);

/* cpu.c: see there */
const char *missing_cpu_features(const char *needed);
const char *highest_isa(void);
const char *unnamed_features(void);

/* prefetch.c: asks the kernel for what the first answer needs of files, and does not wait for it. */
void prefetch(const struct plan *plan);

/*
 * restore.c: the app from its plan (`record`: so that `launcher touched` can tell each page that it asks for), and the check of files beside it. Returns the companion's answer, `ok …`, or the
 * reason for which the app must not live; what is left of it is then to be ended.
 */
const char *restore(const struct plan *plan, int record, char **further, int *to_app, int *from_app);

/* outcome.c: the file that says how the app was started, one line of JSON, for whoever asks in the container */
void write_restored(const char *snapshot, double milliseconds, const char *steps);
void write_started_normally(const char *reason);

/* processes.c: `launcher processes` */
int list_processes(void);

/* files.c: `launcher files` */
int list_files(void);

/* keep.c: `launcher written`, and CRIU's action script */
int list_written(char **words);
int keep_files(void);

/*
 * put.c: the files that the app had made, before it is restored. Returns the reason for which one can't be made, or is
 * there already as another one. What was made is removed again where the app is then not restored.
 */
const char *put_files(const struct plan *plan);
void take_files_back(const struct plan *plan);

/* touched.c: `launcher touched` */
int list_touched(void);

/* ports.c: `launcher ports` */
int list_ports(void);
/* look.c: `launcher sockets`, and `launcher exists -- PATH` */
int list_sockets(void);
int there_is(const char *path);

/* supervise.c: what PID 1 owes its child */
void block_signals(sigset_t *before);
int supervise(pid_t app, int control_socket, int to_app, int from_app);
void end_descendants(void);
int exit_code(int wait_status);
void wait_for_others(int timeout_ms);

/* control.c: one line in, one line out */
int control_listen(void);
void control_serve(int socket, int to_app, int from_app);
int control_client(void);
size_t read_line(int fd, char *line, int timeout_ms);

/*
 * companion.c: what the restored app must know. start_line() writes it into the pipe before anybody reads it: the
 * companion does as soon as its thread runs again. The answer is `ok MILLISECONDS…`, or a code and the reason for which the
 * app must not live; NULL where the app was gone or silent.
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
int check_snapshot(void);

#endif
