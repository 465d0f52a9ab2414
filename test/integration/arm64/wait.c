/* A thread that waits for an hour, and a clock that went back by as much: it ends once its deadline is moved. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { HOUR = 3600 };

int shift_waits(int64_t delta, int64_t since);

static void *wait_an_hour(void *unused) {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t never;
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&never, &monotonic);
  struct timespec due;
  clock_gettime(CLOCK_MONOTONIC, &due);
  due.tv_sec += HOUR;
  pthread_mutex_lock(&lock);
  pthread_cond_timedwait(&never, &lock, &due);
  return unused;
}

int main(void) {
  pthread_t waiting;
  pthread_create(&waiting, NULL, wait_an_hour, NULL);
  nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
  /* Its result is no matter here: under QEMU the process has a thread that takes no signal. */
  shift_waits(-HOUR * 1000000000LL, 0);
  pthread_join(waiting, NULL);
  puts("the wait has ended");
}
