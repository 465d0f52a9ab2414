/*
 * An app on musl, with what CRIU must bring back of it: a worker that ticks by timed waits, its thread-local variable,
 * the clock through the vDSO, a listening socket. .NET for musl is not in every package registry, so this one answers
 * the launcher's questions itself, in the companion's words.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL_IN = 900, CONTROL_OUT = 901, TICK_NS = 10 * 1000 * 1000 };

static _Thread_local long ticks;
static volatile long seen;

static void *tick(void *unused) {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t never;
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&never, &monotonic);
  pthread_mutex_lock(&lock);
  for (;;) {
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    due.tv_nsec += TICK_NS;
    due.tv_sec += due.tv_nsec / 1000000000, due.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&never, &lock, &due);
    seen = ++ticks;
  }
  return unused;
}

/* Answers `/ticks` with how often the worker has ticked, and everything else with `musl`. */
static void *serve(void *unused) {
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) exit(1);
  for (;;) {
    char request[4096], body[32], answer[256];
    int client = accept(listener, NULL, NULL);
    ssize_t length = read(client, request, sizeof request - 1);
    request[length > 0 ? length : 0] = 0;
    if (strstr(request, " /ticks ")) snprintf(body, sizeof body, "%ld", seen);
    else strcpy(body, "musl");
    int size = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", strlen(body), body);
    if (write(client, answer, size) < 0) perror("answer");
    close(client);
  }
  return unused;
}

static const char *unique(void) {
  static char text[128];
  unsigned long value = 0;
  getrandom(&value, sizeof value, 0);
  snprintf(text, sizeof text, "{\"values\":[{\"source\":\"getrandom\",\"value\":\"%016lx\"}]}", value);
  return text;
}

static const char *answer(const char *request) {
  if (!strcmp(request, "runtime\n")) return "{\"version\":\"none\",\"processors\":1,\"memoryLimitBytes\":1,\"serverGc\":false}";
  if (!strcmp(request, "jit\n")) return "{\"methods\":1}";
  if (!strcmp(request, "risks\n")) return "{\"members\":[]}";
  if (!strcmp(request, "configuration 0\n")) return "{\"entries\":[],\"next\":null}";
  /* A stand-in plants nothing, so its build is not searched for secrets. */
  if (!strcmp(request, "canaries\n"))
    return "{\"canaries\":[{\"encoding\":\"utf-8\",\"seed\":\"00000000-0000-4000-8000-000000000000\"}]}";
  if (!strcmp(request, "warm\n")) return "{\"ran\":0}";
  if (!strcmp(request, "resume\n")) return "{\"resumed\":true}";
  if (!strcmp(request, "unique\n")) return unique();
  if (!strncmp(request, "restored ", 9)) return "ok 0.0 ms of it in the app";
  return "{\"clearedPools\":[],\"heapBytesBefore\":1,\"heapBytesAfter\":1,\"gate\":true,\"inFlight\":0,\"jitQuiet\":true,\"choosesAnew\":true,\"hookSeconds\":1,\"open\":[],\"clearedLeftovers\":[]}";
}

int main(void) {
  pthread_t worker, server;
  pthread_create(&worker, NULL, tick, NULL);
  pthread_create(&server, NULL, serve, NULL);
  FILE *in = fdopen(CONTROL_IN, "r"), *out = fdopen(CONTROL_OUT, "w");
  static char line[65536];
  if (in && out)
    while (fgets(line, sizeof line, in)) fprintf(out, "%s\n", answer(line)), fflush(out);
  pthread_join(server, NULL);
}
