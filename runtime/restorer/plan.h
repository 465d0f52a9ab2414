#ifndef PLAN_H
#define PLAN_H

#include <stddef.h>
#include <stdint.h>

/*
 * The restore plan: everything a restore does, decided at the build and laid out so that nothing is left to be parsed.
 * src/plan/format.ts writes it; both files change together, and then PLAN_VERSION.
 *
 * The file is mapped at PLAN_BASE, where no .NET process has anything, and stays there until the restored threads have
 * left: addresses inside it, such as those of signal frames, are final. Integers are in the machine's byte order, which is
 * little-endian on both architectures. A `text_at` is an offset into the section TEXT, of a string that ends in NUL; 0 is
 * the empty string.
 */
#define PLAN_BASE 0x80000000UL
#define PLAN_MAGIC 0x4e414c50544f4853UL /* "SHOTPLAN" */
#define PLAN_VERSION 2u

/* The app must have nothing below this address: the launcher is linked there. */
#define LOW_END 0x100000000UL

typedef uint32_t text_at;

/* A section is an array of one type; offset in bytes from the start of the file, a multiple of 8. */
struct section {
  uint32_t offset, count;
};

enum section_name {
  TEXT,        /* char */
  COMMAND,     /* text_at: the words that were checkpointed */
  FILES,       /* struct app_file: must be those of the checkpoint */
  DESCRIPTORS, /* struct descriptor, in ascending order of `fd` */
  COPIES,      /* struct copy: further numbers of the same open file */
  OPTIONS,     /* struct option: of sockets */
  WATCHES,     /* struct watch: what epoll descriptors wait for */
  LOCKS,       /* struct lock */
  OBJECTS,     /* struct object: memory that is shared or has a name */
  CONTENTS,    /* struct content_run: of objects */
  STEPS,       /* struct step: mappings, in ascending order of addresses where they do not lie over one another */
  FILLS,       /* struct fill: ranges that are read, one after the other, from `fill_offset` of the pages file */
  LATE_STEPS,  /* struct step: after the fills */
  THREADS,     /* struct thread, the first one's number is the process's */
  FRAMES,      /* bytes: for each thread a stack and its signal frame, FRAME_STRIDE apart */
  ACTIONS,     /* struct action: of signals 1 to 64 without 9 and 19 */
  PENDING,     /* struct pending: signals that had not been delivered */
  TIMERS,      /* struct timer: POSIX timers in ascending order of their number */
  AUXV,        /* uint64_t */
  VDSO,        /* struct vdso_function: those of the kernel of the checkpoint */
  PREFETCH,    /* struct prefetch: what the first answer needs of files beside the hot part of the pages file */
  KEPT,        /* struct kept: files that the app had made, a folder before what is in it */
  SECTIONS
};

enum plan_flags {
  RAISE_NOFILE = 1, /* the app had raised its limit of open files as far as it could */
  NOT_DUMPABLE = 2,
  NO_HUGE_PAGES = 4,
  SUBREAPER = 8,
  INSIDE_VDSO = 16, /* a thread was inside the vdso's code: only the very same vdso will do */
  EXTENDED_STATE = 32 /* a thread has AVX-512 or protection key registers in use: see frames.c */
};

/* What prctl(PR_SET_MM_MAP) sets, in the order of struct prctl_mm_map. */
enum { MM_FIELDS = 11 };

struct interval { /* seconds and microseconds, as setitimer() has them */
  int64_t interval_s, interval_us, value_s, value_us;
};

struct plan {
  uint64_t magic;
  uint32_t version, page_size;
  uint64_t size;  /* of the file, bytes */
  uint64_t hash;  /* XXH64 with seed 0 of all that follows this field */
  uint32_t machine; /* EM_X86_64 or EM_AARCH64 */
  uint32_t flags;
  uint32_t pid;
  uint32_t answer_ms;
  text_at snapshot, isa, cpu, program, folder; /* program: what /proc/self/exe was; folder: the working folder */
  uint32_t umask;
  uint32_t descriptors_end; /* no descriptor of the app has this number or a higher one */
  uint32_t membarriers;     /* bits of the commands that were registered, as MEMBARRIER_CMD_GET_REGISTRATIONS tells */
  uint64_t memory;          /* bytes of memory that the process had of its own */
  uint64_t pages_bytes, pages_hash; /* of the pages file: its size, and XXH64 with seed 0 */
  uint64_t hot_bytes, hot_hash; /* its beginning, which the first answer needs; XXH64 with seed 0 */
  uint64_t fill_offset;
  uint64_t mm[MM_FIELDS];
  uint64_t vdso_start, vdso_bytes; /* with the pages of data (vvar) before it, of which vvar_bytes are */
  uint64_t vvar_bytes, vdso_hash;  /* XXH64 with seed 0 of the code alone */
  uint64_t vdso_offset;            /* of the code, in the pages file */
  struct interval timers[3];       /* ITIMER_REAL, VIRTUAL, PROF */
  uint32_t frame_stride, death_signal;
  struct section sections[SECTIONS];
};

/* A file, or, where the path ends with a slash, the assemblies in a folder: `bytes` is their number, `hash` the sum of the names' XXH64. */
struct app_file { /* as struct content in launcher.h */
  int64_t bytes, modified;
  uint64_t hash;
  text_at path;
  uint32_t unused;
};

enum descriptor_kind {
  D_FILE,      /* name: path; flags; a: position */
  D_DELETED,   /* a file that has no name any more. name: folder it was in; a: position; b: offset in the pages file; c: bytes; extra: mode */
  D_INHERITED, /* extra: 0 standard output, 1 standard error, 2 control in, 3 control out, of the launcher */
  D_PIPE,      /* extra: number of the pipe; flags tell its end; a: capacity, bytes; b: offset of content; c: bytes of it */
  D_FIFO,      /* name: path; flags */
  D_EVENT,     /* a: counter; extra: 1 where it is a semaphore */
  D_TIMER,     /* extra: clock; a: ticks; b: text of a struct timerfd_state, 8-byte aligned */
  D_SIGNAL,    /* a: mask */
  D_EPOLL,
  D_INOTIFY,
  D_UNIX,      /* unix socket: extra: type; a: peer's index among descriptors plus 1; b: backlog plus 1 where it listens; name: struct unix_name */
  D_INET,      /* extra: type; a: protocol; b: backlog plus 1 where it listens; name: struct inet_name */
  D_NETLINK,   /* extra: type; a: protocol; b: groups; c: port */
  D_OBJECT,    /* extra: number of the object; flags; a: position */
  D_KINDS
};

struct descriptor {
  uint32_t fd, kind;
  uint32_t flags;   /* O_… of the open file */
  uint32_t cloexec; /* 0 or 1 */
  uint32_t extra;
  text_at name;
  uint64_t a, b, c;
  uint32_t option, options; /* first of its OPTIONS and how many */
};

struct copy {
  uint32_t from, to, cloexec, unused;
};

struct option {
  uint32_t level, name;
  int32_t value;
  uint32_t unused;
};

struct watch {
  uint32_t epoll, fd, events, unused;
  uint64_t data;
};

enum lock_kind { LOCK_OF_FILE, LOCK_OF_PROCESS, LOCK_OF_DESCRIPTION };

struct lock {
  uint32_t fd, kind; /* kind: flock(), or fcntl() with F_SETLK or F_OFD_SETLK */
  int32_t type;      /* LOCK_SH or LOCK_EX; F_RDLCK or F_WRLCK */
  uint32_t unused;
  int64_t start, bytes;
};

struct object {
  uint64_t bytes;
  text_at name; /* of the memfd */
  uint32_t seals, content, contents; /* first of its CONTENTS and how many */
};

struct content_run {
  uint64_t at, bytes, offset; /* in the object, and in the pages file */
};

enum step_kind {
  S_ANONYMOUS, /* private or shared memory without a file */
  S_PAGES,     /* a private mapping of the pages file */
  S_FILE,      /* source: text of a path */
  S_DESCRIPTOR, /* source: number of a descriptor */
  S_OBJECT,    /* source: number of an object */
  S_PROTECT,   /* mprotect to `prot` */
  S_ADVISE,    /* madvise `flags`; source: 1 where a refusal only costs time */
  S_LOCK,      /* mlock */
  S_KINDS
};

struct step {
  uint64_t start, bytes, offset;
  uint32_t kind, prot, flags, source;
};

struct fill {
  uint64_t address, bytes; /* as struct iovec */
};

struct thread {
  uint32_t tid;
  text_at name;
  uint64_t clear_tid, robust_list, robust_bytes, tls, rseq;
  uint32_t rseq_bytes, rseq_signature;
  int32_t nice;
  uint32_t policy, priority, unused;
};

struct action {
  uint64_t handler, flags, restorer, mask;
};

struct pending {
  uint32_t tid; /* 0: of the process */
  uint32_t signal;
  uint8_t info[128]; /* siginfo_t */
};

struct timer {
  uint32_t number, clock, signal, notify;
  uint64_t value; /* sigval */
  int32_t thread;
  uint32_t unused;
  int64_t interval_s, interval_ns, value_s, value_ns;
};

struct timerfd_state {
  int64_t interval_s, interval_ns, value_s, value_ns; /* what is left of it, not the moment, where it is absolute */
  uint32_t flags, unused;                             /* of timerfd_settime */
};

struct unix_name {
  uint32_t bytes; /* of the name, which may be abstract; 0 where there is none */
  uint32_t mode;  /* of the file, where it has one */
  uint32_t peer;  /* for datagrams: whom it is connected to, descriptor's index plus 1 */
  uint32_t shutdown; /* 0, or 1 plus what shutdown() takes */
  char path[108];
};

struct inet_name {
  uint32_t family, bound, connected, shutdown;
  uint8_t from[28], to[28]; /* struct sockaddr_in or sockaddr_in6 */
};

struct vdso_function {
  text_at name;
  uint32_t offset, bytes, unused; /* from the start of the vdso's code */
};

struct prefetch {
  text_at path; /* the empty string: the pages file */
  uint32_t unused;
  uint64_t offset, bytes;
};

enum kept_policy {
  KEPT_ANY,    /* the one that is there already is left, whatever it is */
  KEPT_APPEND, /* likewise, and the app goes on at its end: it only wrote to it */
  KEPT_SAME,   /* one that is there already must be the same */
  KEPT_POLICIES
};

struct kept {
  text_at path, target; /* target: of a symbolic link */
  uint32_t mode;        /* with the kind: S_IFREG, S_IFDIR or S_IFLNK */
  uint32_t policy;      /* enum kept_policy */
  uint64_t offset, bytes, hash; /* of a file's content, in the pages file; XXH64 with seed 0 */
};

/* Where a signal frame begins in its stride; before it is the stack of a thread that has not yet left for the app. */
enum { FRAME_STACK = 1024 };

/* A section's entry, and how many there are. */
#define ENTRIES(plan, name, type) ((const type *)((const char *)(plan) + (plan)->sections[name].offset))
#define COUNT(plan, name) ((plan)->sections[name].count)

static inline const char *text_of(const struct plan *plan, text_at offset) {
  return ENTRIES(plan, TEXT, char) + offset;
}

/*
 * Maps the plan at PLAN_BASE and checks all of it. Returns NULL and sets `*plan`, or the reason with its code, as
 * because() gives it.
 */
const char *open_plan(const char *path, const struct plan **plan);

/* The reason for which these bytes are no plan that this launcher can follow without reading beyond them, or NULL. */
const char *check_plan(const void *start, size_t bytes);

/* The same of a plan whose head and digest are known to be good. */
const char *check_meaning(const struct plan *plan);

#endif
