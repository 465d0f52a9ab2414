/*
 * Threads, and the numbers that they have. A PID namespace hands numbers out in order, so those between are used up. A
 * number that comes out wrong ends the restore.
 */
#define _GNU_SOURCE
#include "restorer.h"

#include "system.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/rseq.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

enum {
  THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
  MOST_LEFTOVERS = 16
};

/* In the stack of the first frame, which stays mapped: what all threads wait at. */
struct gate {
  int is_open;
  int waiting;
};

static struct gate *gate_of(const struct plan *plan) { return (struct gate *)ENTRIES(plan, FRAMES, char); }

INLINE char *frame_of(const struct plan *plan, uint32_t number) {
  return (char *)plan + plan->sections[FRAMES].offset + (uint64_t)number * plan->frame_stride + FRAME_STACK;
}

/* clone() whose child does nothing but end: it needs no stack. */
static pid_t clone_and_end(void) {
  long result;
#if defined(__x86_64__)
  register long r10 __asm__("r10") = 0;
  register long r8 __asm__("r8") = 0;
  __asm__ volatile("syscall\n\ttest %%eax, %%eax\n\tjnz 1f\n\txor %%edi, %%edi\n\tmov %2, %%eax\n\tsyscall\n1:"
                   : "=a"(result)
                   : "a"((long)SYS_clone), "i"(SYS_exit), "D"((long)THREAD), "S"(0L), "d"(0L), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
#else
  register long x8 __asm__("x8") = SYS_clone;
  register long x0 __asm__("x0") = THREAD;
  register long x1 __asm__("x1") = 0;
  register long x2 __asm__("x2") = 0;
  register long x3 __asm__("x3") = 0;
  register long x4 __asm__("x4") = 0;
  __asm__ volatile("svc 0\n\tcbnz x0, 1f\n\tmov x8, %6\n\tsvc 0\n1:"
                   : "+r"(x0), "+r"(x8)
                   : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "i"(SYS_exit)
                   : "memory");
  result = x0;
#endif
  return result;
}

/*
 * Uses one number up without a thread that would have to be run: the kernel takes the number before it finds that it can't
 * write the descriptor of the new process to address 0. Returns 0 where the kernel failed in just that way.
 */
static int use_up_one(void) { return call(SYS_clone, THREAD | CLONE_PIDFD, 0, 0, 0, 0) == -EFAULT ? 0 : -1; }

pid_t newest_number(void) { return clone_and_end(); }

int use_up_numbers(pid_t last, pid_t upto) {
  while (last < upto - 1 && !use_up_one()) last++;
  /* A true one at the end: it tells which number was reached. */
  while (last < upto) {
    pid_t number = clone_and_end();
    if (number < 0) return errno = -number, -1;
    if (number <= last) return errno = EAGAIN, -1;
    last = number;
  }
  if (last != upto) return errno = EBUSY, -1;
  return 0;
}

void forget_own_thread_area(void) {
  if (!__rseq_size) return;
  const unsigned feature = getauxval(AT_RSEQ_FEATURE_SIZE), align = getauxval(AT_RSEQ_ALIGN);
  const unsigned sizes[] = {32, align ? (feature + align - 1) / align * align : 32, feature, __rseq_size};
  struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (!call(SYS_rseq, area, sizes[i], RSEQ_FLAG_UNREGISTER, RSEQ_SIG)) return;
  give_up("DS5006 this kernel does not let go of the launcher's restartable sequences");
}

/*
 * The functions in this section lie on a page of their own, which stays mapped: nothing in them may call, or read, what
 * is elsewhere in the program.
 */
#define LEAVE __attribute__((section("leave"), noinline, noreturn, aligned(64)))
extern const char __start_leave[], __stop_leave[];

struct rseq_area {
  uint64_t address;
  uint32_t bytes, signature;
};

INLINE _Noreturn void enter_app(const struct rseq_area *rseq, char *frame) {
  if (rseq->address) call(SYS_rseq, rseq->address, rseq->bytes, 0, rseq->signature);
#if defined(__x86_64__)
  __asm__ volatile("mov %0, %%rsp\n\tmov %1, %%eax\n\tsyscall" ::"r"(frame + 8), "i"(SYS_rt_sigreturn) : "memory");
#else
  __asm__ volatile("mov sp, %0\n\tmov x8, %1\n\tsvc 0" ::"r"(frame), "i"(SYS_rt_sigreturn) : "memory");
#endif
  __builtin_unreachable();
}

LEAVE void wait_and_leave(struct gate *gate, const struct thread *thread, char *frame) {
  /* The plan is unmapped before the gate opens. */
  const struct rseq_area rseq = {thread->rseq, thread->rseq_bytes, thread->rseq_signature};
  __atomic_add_fetch(&gate->waiting, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&gate->is_open, __ATOMIC_SEQ_CST)) call(SYS_futex, &gate->is_open, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0);
  enter_app(&rseq, frame);
}

/* What the first thread does last; it lies in the stack of the first frame. */
struct farewell {
  struct gate *gate;
  const struct thread *thread;
  char *frame;
  uint64_t tls;
  int count;
  struct range leftovers[MOST_LEFTOVERS];
};

LEAVE void unmap_and_leave(struct farewell *farewell) {
#if defined(__x86_64__)
  call(SYS_arch_prctl, ARCH_SET_FS, farewell->tls);
#else
  __asm__ volatile("msr tpidr_el0, %0" ::"r"(farewell->tls));
#endif
  const struct rseq_area rseq = {farewell->thread->rseq, farewell->thread->rseq_bytes, farewell->thread->rseq_signature};
  for (int i = 0; i < farewell->count; i++) call(SYS_munmap, farewell->leftovers[i].start, farewell->leftovers[i].end - farewell->leftovers[i].start);
  __atomic_store_n(&farewell->gate->is_open, 1, __ATOMIC_SEQ_CST);
  call(SYS_futex, &farewell->gate->is_open, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff);
  enter_app(&rseq, farewell->frame);
}

/* Starts a thread on the stack before its frame; there it runs `become_thread`. */
static _Noreturn void become_thread(const struct plan *plan, uint32_t number);

static long clone_thread(const struct plan *plan, uint32_t number) {
  const struct thread *thread = &ENTRIES(plan, THREADS, struct thread)[number];
  char *stack = frame_of(plan, number) - 64;
  const long flags = THREAD | CLONE_SETTLS | CLONE_CHILD_CLEARTID;
  long result;
#if defined(__x86_64__)
  register long r10 __asm__("r10") = thread->clear_tid;
  register long r8 __asm__("r8") = thread->tls;
  register const struct plan *r12 __asm__("r12") = plan;
  register long r13 __asm__("r13") = number;
  register void *r14 __asm__("r14") = become_thread;
  __asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tmov %%r12, %%rdi\n\tmov %%r13, %%rsi\n\tcall *%%r14\n1:"
                   : "=a"(result)
                   : "a"((long)SYS_clone), "D"(flags), "S"(stack), "d"(0L), "r"(r10), "r"(r8), "r"(r12), "r"(r13), "r"(r14)
                   : "rcx", "r11", "memory");
#else
  register long x8 __asm__("x8") = SYS_clone;
  register long x0 __asm__("x0") = flags;
  register char *x1 __asm__("x1") = stack;
  register long x2 __asm__("x2") = 0;
  register long x3 __asm__("x3") = thread->tls;
  register long x4 __asm__("x4") = thread->clear_tid;
  register const struct plan *x9 __asm__("x9") = plan;
  register long x10 __asm__("x10") = number;
  register void *x11 __asm__("x11") = become_thread;
  __asm__ volatile("svc 0\n\tcbnz x0, 1f\n\tmov x29, xzr\n\tmov x0, x9\n\tmov x1, x10\n\tblr x11\n1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x9), "r"(x10), "r"(x11)
                   : "memory", "x30");
  result = x0;
#endif
  return result;
}

/* What only the thread itself can set. Of the scheduling what is not the default; a container may forbid it, and then keeps its own. */
static void set_thread(const struct plan *plan, const struct thread *thread, const char *name_before) {
  if (thread->robust_list) call(SYS_set_robust_list, thread->robust_list, thread->robust_bytes);
  const char *name = text_of(plan, thread->name);
  if (!name_before || strcmp(name, name_before)) call(SYS_prctl, PR_SET_NAME, name);
  if (thread->nice) call(SYS_setpriority, PRIO_PROCESS, 0, thread->nice);
  if (thread->policy) {
    struct sched_param priority = {.sched_priority = thread->priority};
    call(SYS_sched_setscheduler, 0, thread->policy, &priority);
  }
}

static _Noreturn void become_thread(const struct plan *plan, uint32_t number) {
  const struct thread *threads = ENTRIES(plan, THREADS, struct thread);
  set_thread(plan, &threads[number], text_of(plan, threads[0].name));
  send_pending(plan, threads[number].tid);
  wait_and_leave(gate_of(plan), &threads[number], frame_of(plan, number));
}

static void make_threads(const struct plan *plan) {
  const struct thread *threads = ENTRIES(plan, THREADS, struct thread);
  set_thread(plan, &threads[0], NULL);
  for (uint32_t i = 1; i < COUNT(plan, THREADS); i++) {
    pid_t wanted = threads[i].tid;
    for (pid_t gap = threads[i - 1].tid + 1; gap < wanted; gap++)
      if (use_up_one() && clone_and_end() < 0) give_up("DS5009 no thread can be started: %s", strerror(EAGAIN));
    long number = clone_thread(plan, i);
    if (failed(number)) give_up("DS5009 no thread can be started, %u of %u are there: %s (--pids-limit)", i, COUNT(plan, THREADS), strerror(-number));
    if (number != wanted) give_up("DS5009 PID %d is taken: something else in this container started a process at the same moment", wanted);
  }
  struct gate *gate = gate_of(plan);
  while (__atomic_load_n(&gate->waiting, __ATOMIC_SEQ_CST) < (int)COUNT(plan, THREADS) - 1) call(SYS_sched_yield);
}

static void add_leftover(struct farewell *farewell, uint64_t start, uint64_t end) {
  if (start >= end) return;
  if (farewell->count == MOST_LEFTOVERS) give_up("DS5002 the launcher's own memory has too many parts");
  farewell->leftovers[farewell->count++] = (struct range){start, end};
}

/* All of low memory but that code, the frames, and this kernel's vdso where that is here. */
static void collect_leftovers(const struct plan *plan, struct farewell *farewell) {
  const uint64_t page = plan->page_size, frames = (uint64_t)plan + plan->sections[FRAMES].offset;
  const struct range kept[] = {{(uint64_t)__start_leave / page * page, ((uint64_t)__stop_leave + page - 1) / page * page},
                               {frames / page * page, (frames + COUNT(plan, FRAMES) + page - 1) / page * page}};
  for (int i = 0; i < own.low_count; i++) {
    uint64_t start = own.low[i].start;
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
      if (kept[k].end <= start || kept[k].start >= own.low[i].end) continue;
      add_leftover(farewell, start, kept[k].start);
      start = kept[k].end;
    }
    add_leftover(farewell, start, own.low[i].end);
  }
}

_Noreturn void make_threads_and_leave(const struct restoration *work) {
  const struct plan *plan = work->plan;
  const struct thread *first = ENTRIES(plan, THREADS, struct thread);
  struct farewell *farewell = (struct farewell *)(gate_of(plan) + 1);
  *farewell = (struct farewell){.gate = gate_of(plan), .thread = first, .frame = frame_of(plan, 0), .tls = first->tls};
  restore_extended_state(plan);
  make_threads(plan);
  set_process_last(work);
  collect_leftovers(plan, farewell);
  close_scratch(work);
  call(SYS_set_tid_address, first->clear_tid);
  wait_for_verdict(work);
  note(THREADS_MADE);
  __atomic_store_n(&work->report->is_committed, 1, __ATOMIC_SEQ_CST);
#if defined(__x86_64__)
  __asm__ volatile("mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tmov %1, %%rdi\n\tcall *%2" ::"r"(frame_of(plan, 0) - 64), "r"(farewell), "r"(unmap_and_leave) : "memory", "rdi");
#else
  __asm__ volatile("mov sp, %0\n\tmov x0, %1\n\tblr %2" ::"r"(frame_of(plan, 0) - 64), "r"(farewell), "r"(unmap_and_leave) : "memory", "x0");
#endif
  __builtin_unreachable();
}
