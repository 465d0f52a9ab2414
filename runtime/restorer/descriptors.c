/*
 * Open files, in ascending order of their numbers: the kernel hands out the lowest that is free, so most come out right by
 * themselves. What this program has open itself is moved above all numbers of the app.
 */
#define _GNU_SOURCE
#include "restorer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

enum { NONE = -1 };

/* Both ends of each pipe, by its number; objects by theirs; the other sides of pairs by the descriptor's index. */
static int (*pipes)[2], *objects, *pairs;
static const struct plan *plan;
static int pages, scratch, fifo_helpers[16], fifo_count;

static const char *name_of(const struct descriptor *entry) { return text_of(plan, entry->name); }

/* The same open file under a number that the app does not use. */
static int move_up(int fd) {
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, scratch);
  if (moved < 0) give_up("DS5009 no descriptor is left: %s (--ulimit nofile)", strerror(errno));
  return moved;
}

static void put(int fd, int number, int cloexec) {
  if (dup3(fd, number, cloexec ? O_CLOEXEC : 0) != number) give_up("DS5002 descriptor %d can't be made: %s", number, strerror(errno));
}

/* Closes all but what is above `scratch`, and standard input, output and error, which are replaced. */
static void close_own(void) {
  if (!syscall(SYS_close_range, 3, scratch - 1, 0)) return;
  for (int fd = 3; fd < scratch; fd++) close(fd);
}

static void copy_from_pages(int fd, uint64_t offset, uint64_t bytes, const char *what) {
  for (off_t at = offset; bytes;) {
    ssize_t sent = sendfile(fd, pages, &at, bytes);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) give_up("DS5002 the content of %s can't be written: %s", what, sent ? strerror(errno) : "the snapshot ends too early");
    bytes -= sent;
  }
}

/* Sets what of the flags can be set when a file is open already. */
static void set_flags(int fd, uint32_t flags) {
  const uint32_t settable = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC;
  if (flags & settable && fcntl(fd, F_SETFL, flags & settable)) give_up("DS5002 a descriptor's flags can't be set: %s", strerror(errno));
}

static int open_file(const struct descriptor *entry) {
  int fd = open(name_of(entry), entry->flags | O_NOCTTY | (entry->cloexec ? O_CLOEXEC : 0));
  if (fd < 0) give_up("DS5008 the app had %s open, which can't be opened: %s", name_of(entry), strerror(errno));
  if (entry->a && lseek(fd, entry->a, SEEK_SET) < 0 && errno != ESPIPE) give_up("DS5008 the position in %s can't be set: %s", name_of(entry), strerror(errno));
  return fd;
}

static int open_deleted(const struct descriptor *entry) {
  /* Where it was if that can be written to, else in memory: the app sees a file without a name either way. */
  int fd = open(name_of(entry), O_TMPFILE | O_RDWR | O_CLOEXEC, entry->extra & 07777);
  if (fd < 0) fd = memfd_create("deleted", MFD_CLOEXEC);
  if (fd < 0) give_up("DS5002 a deleted file of %s can't be made again: %s", name_of(entry), strerror(errno));
  copy_from_pages(fd, entry->b, entry->c, "a deleted file");
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int opened = open(path, (entry->flags & ~(O_NOFOLLOW | O_DIRECTORY)) | (entry->cloexec ? O_CLOEXEC : 0));
  if (opened < 0) {
    /* A mode without the right to open it again. */
    opened = fd;
    set_flags(fd, entry->flags);
  } else close(fd);
  if (lseek(opened, entry->a, SEEK_SET) < 0) give_up("DS5002 the position in a deleted file can't be set: %s", strerror(errno));
  return opened;
}

/* One end of a pipe; the other waits above `scratch` for its turn, and is closed in the end. */
static int open_pipe(const struct descriptor *entry) {
  int *ends = pipes[entry->extra];
  if (ends[0] == NONE) {
    int made[2];
    if (pipe2(made, O_CLOEXEC)) give_up("DS5002 a pipe can't be made: %s", strerror(errno));
    for (int end = 0; end < 2; end++) ends[end] = move_up(made[end]), close(made[end]);
    /* A larger one than this container may have is only needed where its content would not fit. */
    if (entry->a && fcntl(ends[1], F_SETPIPE_SZ, entry->a) < 0 && entry->c > 65536)
      give_up("DS5009 a pipe of %llu bytes can't be made: %s", (unsigned long long)entry->a, strerror(errno));
    copy_from_pages(ends[1], entry->b, entry->c, "a pipe");
  }
  int end = ends[(entry->flags & O_ACCMODE) == O_WRONLY];
  set_flags(end, entry->flags);
  return fcntl(end, F_DUPFD_CLOEXEC, 0);
}

static int open_fifo(const struct descriptor *entry) {
  if (mkfifo(name_of(entry), 0600) && errno != EEXIST) give_up("DS5008 the named pipe %s can't be made: %s", name_of(entry), strerror(errno));
  /* Opened for both, it makes the other openings return at once. */
  int helper = open(name_of(entry), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (helper < 0) give_up("DS5008 the named pipe %s can't be opened: %s", name_of(entry), strerror(errno));
  if (fifo_count < (int)(sizeof fifo_helpers / sizeof *fifo_helpers)) fifo_helpers[fifo_count++] = move_up(helper);
  close(helper);
  return open(name_of(entry), (entry->flags & ~O_NOFOLLOW) | O_CLOEXEC);
}

static int open_timer(const struct descriptor *entry) {
  const struct timerfd_state *state = (const struct timerfd_state *)text_of(plan, entry->b);
  int fd = timerfd_create(entry->extra, TFD_CLOEXEC | (entry->flags & O_NONBLOCK ? TFD_NONBLOCK : 0));
  if (fd < 0) return fd;
  struct itimerspec value = {{state->interval_s, state->interval_ns}, {state->value_s, state->value_ns}};
  if (state->flags & TFD_TIMER_ABSTIME && (state->value_s || state->value_ns)) {
    struct timespec now;
    clock_gettime(entry->extra, &now);
    value.it_value.tv_nsec += now.tv_nsec;
    value.it_value.tv_sec += now.tv_sec + value.it_value.tv_nsec / 1000000000;
    value.it_value.tv_nsec %= 1000000000;
  }
  /* One that repeats and whose last ticks are unread has nothing left to wait for: it must come due once more to go on. */
  int is_due = !state->value_s && !state->value_ns && (state->interval_s || state->interval_ns);
  if (is_due) value.it_value.tv_nsec = 1;
  if (timerfd_settime(fd, is_due ? 0 : state->flags, &value, NULL)) give_up("DS5002 a timer descriptor can't be set: %s", strerror(errno));
  if (is_due) poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
  if (entry->a && ioctl(fd, TFD_IOC_SET_TICKS, &entry->a)) give_up("DS5006 this kernel can't set what a timer has counted (CONFIG_CHECKPOINT_RESTORE): %s", strerror(errno));
  return fd;
}

static int open_pair(const struct descriptor *entry, uint32_t index) {
  if (pairs[index] != NONE) return pairs[index];
  int made[2];
  if (socketpair(AF_UNIX, entry->extra | SOCK_CLOEXEC, 0, made)) give_up("DS5002 a pair of sockets can't be made: %s", strerror(errno));
  pairs[entry->a - 1] = move_up(made[1]);
  close(made[1]);
  return made[0];
}

static int open_unix(const struct descriptor *entry, uint32_t index) {
  int fd = entry->a ? open_pair(entry, index) : open_socket(plan, entry);
  const struct unix_name *name = (const struct unix_name *)text_of(plan, entry->name);
  if (entry->a) {
    for (uint32_t i = 0; i < entry->options; i++) {
      const struct option *option = &ENTRIES(plan, OPTIONS, struct option)[entry->option + i];
      setsockopt(fd, option->level, option->name, &option->value, sizeof option->value);
    }
    set_flags(fd, entry->flags);
    if (name->shutdown) shutdown(fd, name->shutdown - 1);
  }
  return fd;
}

static int reopen_object(const struct descriptor *entry) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", objects[entry->extra]);
  int fd = open(path, entry->flags | O_CLOEXEC);
  if (fd >= 0 && entry->a) lseek(fd, entry->a, SEEK_SET);
  return fd;
}

static int open_one(const struct restoration *work, const struct descriptor *entry, uint32_t index) {
  switch (entry->kind) {
    case D_FILE: return open_file(entry);
    case D_DELETED: return open_deleted(entry);
    case D_INHERITED: return fcntl(work->inherited[entry->extra], F_DUPFD_CLOEXEC, 0);
    case D_PIPE: return open_pipe(entry);
    case D_FIFO: return open_fifo(entry);
    case D_EVENT: {
      int fd = eventfd(0, EFD_CLOEXEC | (entry->flags & O_NONBLOCK ? EFD_NONBLOCK : 0) | (entry->extra ? EFD_SEMAPHORE : 0));
      if (fd >= 0 && entry->a && write(fd, &entry->a, sizeof entry->a) != sizeof entry->a) give_up("DS5002 an event's counter can't be set: %s", strerror(errno));
      return fd;
    }
    case D_TIMER: return open_timer(entry);
    case D_SIGNAL: return syscall(SYS_signalfd4, -1, &entry->a, sizeof entry->a, SFD_CLOEXEC | (entry->flags & O_NONBLOCK ? SFD_NONBLOCK : 0));
    case D_EPOLL: return epoll_create1(EPOLL_CLOEXEC);
    case D_INOTIFY: return inotify_init1(IN_CLOEXEC | (entry->flags & O_NONBLOCK ? IN_NONBLOCK : 0));
    case D_UNIX: return open_unix(entry, index);
    case D_INET:
    case D_NETLINK: return open_socket(plan, entry);
    case D_OBJECT: return reopen_object(entry);
    default: return errno = EINVAL, -1;
  }
}

static void make_objects(void) {
  for (uint32_t i = 0; i < COUNT(plan, OBJECTS); i++) {
    const struct object *object = &ENTRIES(plan, OBJECTS, struct object)[i];
    int fd = memfd_create(text_of(plan, object->name), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, object->bytes)) give_up("DS5009 shared memory of %llu bytes can't be made: %s", (unsigned long long)object->bytes, strerror(errno));
    for (uint32_t k = 0; k < object->contents; k++) {
      const struct content_run *run = &ENTRIES(plan, CONTENTS, struct content_run)[object->content + k];
      if (lseek(fd, run->at, SEEK_SET) < 0) give_up("DS5002 shared memory can't be written: %s", strerror(errno));
      copy_from_pages(fd, run->offset, run->bytes, "shared memory");
    }
    lseek(fd, 0, SEEK_SET);
    if (object->seals && fcntl(fd, F_ADD_SEALS, object->seals)) give_up("DS5002 shared memory can't be sealed: %s", strerror(errno));
    objects[i] = move_up(fd);
    close(fd);
  }
}

int object_descriptor(uint32_t number) { return objects[number]; }

static void take_lock(const struct lock *lock) {
  struct flock range = {.l_type = lock->type, .l_whence = SEEK_SET, .l_start = lock->start, .l_len = lock->bytes};
  int failed = lock->kind == LOCK_OF_FILE ? flock(lock->fd, lock->type | LOCK_NB)
                                          : fcntl(lock->fd, lock->kind == LOCK_OF_PROCESS ? F_SETLK : F_OFD_SETLK, &range);
  char path[64], name[4096] = "a file";
  if (!failed) return;
  int reason = errno;
  snprintf(path, sizeof path, "/proc/self/fd/%u", lock->fd);
  ssize_t length = readlink(path, name, sizeof name - 1);
  if (length > 0) name[length] = 0;
  give_up("DS5009 the app's lock on %s can't be taken again: %s", name, reason == EAGAIN || reason == EACCES ? "another process has it" : strerror(reason));
}

static void prepare(const struct restoration *work) {
  plan = work->plan;
  scratch = plan->descriptors_end > 3 ? plan->descriptors_end : 3;
  uint32_t count = COUNT(plan, DESCRIPTORS);
  pipes = calloc(count + 1, sizeof *pipes);
  pairs = calloc(count + 1, sizeof *pairs);
  objects = calloc(COUNT(plan, OBJECTS) + 1, sizeof *objects);
  if (!pipes || !pairs || !objects) give_up("DS5009 no memory is left");
  memset(pipes, 0xff, (count + 1) * sizeof *pipes);
  memset(pairs, 0xff, (count + 1) * sizeof *pairs);
}

void open_descriptors(const struct restoration *given) {
  struct restoration *work = (struct restoration *)given;
  prepare(work);
  for (int i = 0; i < 4; i++) work->inherited[i] = move_up(work->inherited[i]);
  pages = work->pages = move_up(work->pages);
  work->scratch = scratch;
  close_own();
  make_objects();
  const struct descriptor *entries = ENTRIES(plan, DESCRIPTORS, struct descriptor);
  uint32_t count = COUNT(plan, DESCRIPTORS);
  for (int fd = 0; fd < 3; fd++) close(fd);
  for (uint32_t i = 0; i < count; i++) {
    const struct descriptor *entry = &entries[i];
    int fd = open_one(work, entry, i), number = entry->fd;
    if (fd < 0) give_up("DS5002 descriptor %d (kind %u) can't be made: %s", number, entry->kind, strerror(errno));
    if (fd != number) {
      put(fd, number, entry->cloexec);
      close(fd);
    } else if (entry->kind != D_FILE && fcntl(fd, F_SETFD, entry->cloexec ? FD_CLOEXEC : 0)) give_up("DS5002 descriptor %d can't be set: %s", number, strerror(errno));
  }
  for (uint32_t i = 0; i < COUNT(plan, COPIES); i++) {
    const struct copy *copy = &ENTRIES(plan, COPIES, struct copy)[i];
    put(copy->from, copy->to, copy->cloexec);
  }
  for (uint32_t i = 0; i < count; i++)
    if (entries[i].kind == D_UNIX) connect_socket(plan, &entries[i]);
  for (uint32_t i = 0; i < COUNT(plan, WATCHES); i++) {
    const struct watch *watch = &ENTRIES(plan, WATCHES, struct watch)[i];
    struct epoll_event event = {.events = watch->events, .data.u64 = watch->data};
    if (epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->fd, &event)) give_up("DS5002 descriptor %u can't be watched by %u: %s", watch->fd, watch->epoll, strerror(errno));
  }
  for (uint32_t i = 0; i < COUNT(plan, LOCKS); i++) take_lock(&ENTRIES(plan, LOCKS, struct lock)[i]);
}

void close_scratch(const struct restoration *work) {
  /* Ends of pipes and pairs that nobody has any more, shared memory, the pages file. */
  if (!syscall(SYS_close_range, work->scratch, ~0u, 0)) return;
  for (int fd = work->scratch; fd < work->scratch + 4096; fd++) close(fd);
}
