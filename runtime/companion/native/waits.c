/*
 * waits.so: tells waiting threads of a restored process that the monotonic clock stands elsewhere.
 *
 * .NET's timed waits are pthread_cond_timedwait with a deadline of CLOCK_MONOTONIC. Where that clock is behind the one
 * of the checkpoint, a thread that meant to wait for a second waits for hours. The deadline lies in the waiting
 * thread's own stack, and glibc hands the kernel a pointer to it each time it (re)enters the wait. So each thread is
 * interrupted by a signal; its handler sees by the registers whether it came from such a wait, moves the deadline,
 * and returns; glibc then enters the wait again with the moved one. As the handler runs on the waiting thread,
 * nothing else can change that stack meanwhile.
 *
 * Freestanding: no libc, so that one file serves every one of them. musl computes a relative wait itself and is not
 * served: shift_waits finds no deadline to move and says so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

/* A signal that Linux never sends and programs don't use. Its handler is in place for the moment of the shift only. */
enum { SIGNAL = SIGSTKFLT, PATIENCE_MS = 200 };

static volatile int64_t delta_ns, since_ns;
static volatile int answered;

#if defined(__x86_64__)
static long call(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
__asm__(".text\nrestorer:\n mov $15, %eax\n syscall\n");
extern void restorer(void);
#elif defined(__aarch64__)
/* Atomics would otherwise be calls into libgcc, which is not linked here. */
#pragma GCC target("no-outline-atomics")
static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#endif

/* The timespec of the timed wait that the thread was interrupted in; NULL where it was not. */
static struct timespec *deadline_of(const ucontext_t *thread) {
#if defined(__x86_64__)
  const greg_t *r = thread->uc_mcontext.gregs;
  const uint8_t *next = (const uint8_t *)r[REG_RIP];
  int interrupted = r[REG_RAX] == -EINTR && next[-2] == 0x0f && next[-1] == 0x05;
  long operation = r[REG_RSI], deadline = r[REG_R10], bits = r[REG_R9];
#elif defined(__aarch64__)
  const unsigned long long *r = thread->uc_mcontext.regs;
  const uint32_t *next = (const uint32_t *)thread->uc_mcontext.pc;
  const uint32_t svc = 0xd4000001;
  /* The kernel sets a wait back to its beginning before a thread is dumped: it may not be there again yet. */
  int interrupted = r[8] == SYS_futex && (((long)r[0] == -EINTR && next[-1] == svc) || next[0] == svc);
  long operation = r[1], deadline = r[3], bits = r[5];
#endif
  int absolute = (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET && !(operation & FUTEX_CLOCK_REALTIME);
  if (!interrupted || !absolute || (uint32_t)bits != FUTEX_BITSET_MATCH_ANY || !deadline || deadline % sizeof(long)) return NULL;
  return (struct timespec *)deadline;
}

static void on_signal(int signal, siginfo_t *info, void *thread) {
  (void)signal, (void)info;
  struct timespec *deadline = deadline_of(thread);
  if (deadline) {
    int64_t ns = deadline->tv_sec * 1000000000LL + deadline->tv_nsec;
    /* A wait that began after the restore has a deadline of the new clock already. */
    if (ns >= since_ns) {
      ns += delta_ns;
      deadline->tv_sec = ns / 1000000000LL;
      deadline->tv_nsec = ns % 1000000000LL;
    }
  }
  __atomic_add_fetch(&answered, 1, __ATOMIC_SEQ_CST);
}

/* As the kernel wants it, not as libc does. */
struct kernel_sigaction {
  void (*handler)(int, siginfo_t *, void *);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

static int number(const char *text) {
  int value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + *text - '0';
  return *text ? -1 : value;
}

/* Signals every thread but this one; returns how many. */
static int signal_threads(int process, int self) {
  struct entry { uint64_t inode; int64_t offset; uint16_t length; uint8_t type; char name[]; };
  static char buffer[65536] __attribute__((aligned(8)));
  int signaled = 0;
  long folder = call(SYS_openat, AT_FDCWD, (long)"/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (folder < 0) return -1;
  for (long length; (length = call(SYS_getdents64, folder, (long)buffer, sizeof buffer, 0)) > 0;)
    for (long at = 0; at < length; at += ((struct entry *)(buffer + at))->length) {
      int thread = number(((struct entry *)(buffer + at))->name);
      if (thread > 0 && thread != self && call(SYS_tgkill, process, thread, SIGNAL, 0) == 0) signaled++;
    }
  call(SYS_close, folder, 0, 0, 0);
  return signaled;
}

/*
 * Moves the deadlines of all timed waits that began at or after `since` by `delta`, both nanoseconds of
 * CLOCK_MONOTONIC as it was at the checkpoint. Returns 0, or a positive errno where not every thread could be told.
 */
int shift_waits(int64_t delta, int64_t since) {
  struct kernel_sigaction ours = {.handler = on_signal, .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK}, before;
#if defined(__x86_64__)
  ours.flags |= 0x04000000; /* SA_RESTORER */
  ours.restorer = restorer;
#endif
  delta_ns = delta;
  since_ns = since;
  answered = 0;
  long failed = call(SYS_rt_sigaction, SIGNAL, (long)&ours, (long)&before, sizeof ours.mask);
  if (failed) return -failed;
  int expected = signal_threads(call(SYS_getpid, 0, 0, 0, 0), call(SYS_gettid, 0, 0, 0, 0));
  const struct timespec moment = {.tv_nsec = 100 * 1000};
  for (int waited = 0; answered < expected && waited < PATIENCE_MS * 10; waited++) call(SYS_nanosleep, (long)&moment, 0, 0, 0);
  int all = expected >= 0 && answered >= expected;
  /* A thread that blocks the signal would die of it later under the default action. */
  if (all) call(SYS_rt_sigaction, SIGNAL, (long)&before, 0, sizeof before.mask);
  return all ? 0 : ETIMEDOUT;
}
