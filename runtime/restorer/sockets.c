#define _GNU_SOURCE
#include "restorer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* An address for people: what of it matters is the port. */
static const char *address_text(const uint8_t *bytes) {
  static char text[64], host[INET6_ADDRSTRLEN];
  const struct sockaddr_in *four = (const struct sockaddr_in *)bytes;
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)bytes;
  if (four->sin_family == AF_INET6) snprintf(text, sizeof text, "port %d of [%s]", ntohs(six->sin6_port), inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host));
  else snprintf(text, sizeof text, "port %d of %s", ntohs(four->sin_port), inet_ntop(AF_INET, &four->sin_addr, host, sizeof host));
  return text;
}

static socklen_t address_length(const uint8_t *bytes) {
  return ((const struct sockaddr *)bytes)->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void bind_inet(int fd, const struct inet_name *name) {
  if (!bind(fd, (const struct sockaddr *)name->from, address_length(name->from))) return;
  if (errno == EADDRINUSE) give_up("DS5009 %s, on which the app listened, is taken", address_text(name->from));
  if (errno == EACCES) give_up("DS5009 %s, on which the app listened, is not allowed for this user (--sysctl net.ipv4.ip_unprivileged_port_start=0)", address_text(name->from));
  if (errno == EADDRNOTAVAIL) give_up("DS5009 this container has no address for %s, on which the app listened", address_text(name->from));
  give_up("DS5002 %s can't be bound: %s", address_text(name->from), strerror(errno));
}

static socklen_t unix_address(const struct unix_name *name, struct sockaddr_un *address) {
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, name->path, sizeof address->sun_path);
  return offsetof(struct sockaddr_un, sun_path) + name->bytes + (name->path[0] ? 1 : 0);
}

static _Noreturn void refuse_unix(const struct unix_name *name, int reason) {
  const char *slash = strrchr(name->path, '/');
  if (slash && slash > name->path)
    give_up("DS5009 the app's socket %s can't be made: %s (--tmpfs %.*s)", name->path, strerror(reason), (int)(slash - name->path), name->path);
  give_up("DS5009 the app's socket %s can't be made: %s", name->path[0] ? name->path : name->path + 1, strerror(reason));
}

static void bind_unix(int fd, const struct unix_name *name) {
  struct sockaddr_un address;
  socklen_t length = unix_address(name, &address);
  if (name->bytes > sizeof address.sun_path - 1) give_up("DS5007 the restore plan is damaged: a socket's name is too long");
  /* Of an earlier start in this container: nobody listens there. */
  if (name->path[0]) unlink(name->path);
  if (bind(fd, (struct sockaddr *)&address, length)) refuse_unix(name, errno);
  if (name->path[0] && name->mode) chmod(name->path, name->mode & 07777);
}

int open_socket(const struct plan *plan, const struct descriptor *entry) {
  const struct inet_name *inet = entry->kind == D_INET ? (const struct inet_name *)text_of(plan, entry->name) : NULL;
  const struct unix_name *local = entry->kind == D_UNIX ? (const struct unix_name *)text_of(plan, entry->name) : NULL;
  int family = inet ? (int)inet->family : local ? AF_UNIX : AF_NETLINK;
  int fd = socket(family, entry->extra | SOCK_CLOEXEC | (entry->flags & O_NONBLOCK ? SOCK_NONBLOCK : 0), local ? 0 : entry->a);
  if (fd < 0) give_up("DS5009 a socket of family %d can't be made: %s", family, strerror(errno));
  for (uint32_t i = 0; i < entry->options; i++) {
    const struct option *option = &ENTRIES(plan, OPTIONS, struct option)[entry->option + i];
    if (setsockopt(fd, option->level, option->name, &option->value, sizeof option->value))
      give_up("DS5002 option %u of level %u of a socket can't be set: %s", option->name, option->level, strerror(errno));
  }
  if (inet && inet->bound) bind_inet(fd, inet);
  if (inet && inet->connected && connect(fd, (const struct sockaddr *)inet->to, address_length(inet->to)))
    give_up("DS5009 a datagram socket can't be connected to %s: %s", address_text(inet->to), strerror(errno));
  if (local && local->bytes) bind_unix(fd, local);
  if (!inet && !local) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_pid = entry->c, .nl_groups = entry->b};
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) give_up("DS5002 a netlink socket can't be bound: %s", strerror(errno));
    return fd;
  }
  if (entry->b && listen(fd, entry->b - 1)) give_up("DS5002 a socket can't listen: %s", strerror(errno));
  if (inet && inet->shutdown) shutdown(fd, inet->shutdown - 1);
  return fd;
}

/* Datagram sockets may be connected to one another in any order, so only when all are there. */
void connect_socket(const struct plan *plan, const struct descriptor *entry) {
  const struct unix_name *name = (const struct unix_name *)text_of(plan, entry->name);
  if (!name->peer || name->peer > COUNT(plan, DESCRIPTORS)) return;
  const struct descriptor *peer = &ENTRIES(plan, DESCRIPTORS, struct descriptor)[name->peer - 1];
  if (peer->kind != D_UNIX) return;
  struct sockaddr_un address;
  socklen_t length = unix_address((const struct unix_name *)text_of(plan, peer->name), &address);
  if (connect(entry->fd, (struct sockaddr *)&address, length)) give_up("DS5002 a datagram socket can't be connected: %s", strerror(errno));
}
