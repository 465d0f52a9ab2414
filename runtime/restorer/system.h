#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdint.h>
#include <sys/syscall.h>

/*
 * System calls without libc: once the process's memory is being replaced there is no errno, no thread-local storage and
 * no vdso. Each returns what the kernel returns: a value, or the error as a negative number. Always inlined, for the last
 * steps run on a page of code that is all that is left of this program.
 */
#define INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
INLINE long call6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
INLINE long call6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "the system calls of this architecture are not known"
#endif

#define CALL_(number, a, b, c, d, e, f, ...) call6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define call(...) CALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* What the kernel takes and gives back as a result, not an address. */
INLINE int failed(long result) { return (unsigned long)result > -4096UL; }

#endif
