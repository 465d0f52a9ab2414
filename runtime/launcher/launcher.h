#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <signal.h>
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

/* launcher.c */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
int start_normally(char **command);
const char *identity(void);

/* capabilities.c */
int grant_ambient_capabilities(void);
int drop_all_capabilities(void);

/* supervise.c: what PID 1 owes its child */
void block_signals(sigset_t *before);
int supervise(pid_t app, int control_socket, int to_app, int from_app);
int exit_code(int wait_status);
void wait_for_others(int timeout_ms);

/* control.c: one line in, one line out */
int control_listen(void);
void control_serve(int socket, int to_app, int from_app);
int control_client(char **words);
size_t read_line(int fd, char *line, int timeout_ms);

/*
 * companion.c: what the restored app must know. The line is in the pipe before criu starts, so that the companion
 * reads it as soon as its thread runs again, while criu still cleans up. The answer is `ok MILLISECONDS…`, or a code
 * and the reason for which the app must not live.
 */
struct line {
  char *text;
  size_t length, written;
};
int begin_line(struct line *line, const char *snapshot, char **arguments, int to_app);
const char *end_line(struct line *line, int to_app, int from_app, int timeout_ms);

/* warm.c, run.c */
int warm(char **command);
int run(char **command);

#endif
