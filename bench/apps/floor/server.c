/* Answers every request with 200 at once: what is left of a start-up is what the container itself costs. */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nHealthy";

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(INADDR_ANY)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) return 1;
  for (;;) {
    char request[4096];
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) return 1;
    /* One read holds the whole of a small GET. */
    if (read(connection, request, sizeof request) > 0 && write(connection, ANSWER, sizeof ANSWER - 1) < 0) return 1;
    close(connection);
  }
}
