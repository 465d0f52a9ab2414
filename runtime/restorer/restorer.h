#ifndef RESTORER_H
#define RESTORER_H

#include "plan.h"

#include <sys/types.h>

/* What the child that becomes the app tells the launcher, in memory that both have. */
struct report {
  int verdict;        /* of the launcher's checks beside the restore; the app is let go only by LET_GO */
  int is_committed;   /* the app runs, or will in a moment: from here on nothing can fail */
  double moments[8];  /* CLOCK_MONOTONIC in milliseconds, after each stage of `enum stage` */
  char reason[1024];  /* why it was given up before */
};

enum verdict { UNDECIDED, LET_GO, GIVE_UP };

enum stage { CHECKED, NUMBERS_USED, FORKED, DESCRIPTORS_OPEN, MEMORY_MAPPED, MEMORY_FILLED, THREADS_MADE, STAGES };

/* One restore; static, for nothing that has to be freed may hold it when memory is replaced. */
struct restoration {
  const struct plan *plan;
  struct report *report;
  int pages;        /* descriptor of the pages file */
  int inherited[4]; /* standard output, standard error, control in, control out */
  int record;       /* each page is read when it is asked for, and not those beside it */
  int scratch;      /* first descriptor number that the app does not use */
};

/*
 * Starts the app from the plan. `inherited` are the launcher's descriptors that the app gets in place of those of the
 * checkpoint: standard output, standard error, control in, control out. Returns the app's process, a child of this one,
 * or -1 with `*reason` set. The child may still give up; then it ends, and restore_reason() tells why.
 */
pid_t start_restore(const struct plan *plan, const char *pages, const int inherited[4], int record, const char **reason);

/* Lets the app go when it is ready, or ends the half-made process. */
void decide(enum verdict verdict);

/* Why the child gave up; NULL where it did not, or before it could. */
const char *restore_reason(void);

/* Milliseconds that each step took, as members of a JSON object; `start` on CLOCK_MONOTONIC. Good until the next call. */
const char *restore_steps(double start);

/* The rest is of the child. */

/* Ends the half-made process; the launcher finds the reason in the report. */
void wait_for_verdict(const struct restoration *work);
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note(enum stage stage);

/* descriptors.c, sockets.c, locks in descriptors.c: opens all that the app had open, and closes all else but what is above `scratch`. */
void open_descriptors(const struct restoration *work);
int open_socket(const struct plan *plan, const struct descriptor *entry);
void connect_socket(const struct plan *plan, const struct descriptor *entry);
/* The descriptor of an object, until the threads are let go. */
int object_descriptor(uint32_t number);
void close_scratch(const struct restoration *work);

/* memory.c: replaces everything above LOW_END by the app's memory. */
void replace_memory(const struct restoration *work);
/* vdso.c: puts the kernel's vdso to where the app expects one; everything else above LOW_END is unmapped already. */
void place_vdso(const struct restoration *work);
struct range {
  uint64_t start, end;
};
/* Mappings of this process; read once, before memory is replaced. */
struct own_memory {
  struct range high[64], low[64];
  struct range vdso, vvar;  /* its code, and all of its data, which lie before it */
  struct range vvars[8];    /* the data's mappings: each is moved by itself */
  int high_count, low_count, vvar_count;
};
extern struct own_memory own;
void look_at_own_memory(void);

/* process.c */
void set_process_before(const struct restoration *work); /* session, folder, limits */
void set_process_after(const struct restoration *work);  /* fields of mm, what signals do; with one thread */
void set_process_last(const struct restoration *work);   /* timers and pending signals, when all threads are there */

/* frames.c: registers beyond AVX, which each CPU keeps at other places */
void restore_extended_state(const struct plan *plan);

/* Signals that had not been delivered, of the process (0) or a thread; the kernel takes the latter from the thread itself only. */
void send_pending(const struct plan *plan, uint32_t tid);

/*
 * signing.c: the child takes the checkpoint's keys for signed return addresses, which the launcher sets; both at once after
 * the fork. What has called await_keys() must not return. Only arm64 has such keys.
 */
void await_keys(const struct plan *plan);
const char *hand_over_keys(const struct plan *plan, pid_t app);

/* threads.c */
int use_up_numbers(pid_t last, pid_t upto);
pid_t newest_number(void);
_Noreturn void make_threads_and_leave(const struct restoration *work);
/* Before memory is replaced: the kernel must no longer write into this program's thread area. */
void forget_own_thread_area(void);

#endif
