/* The peer that hubbub-echo is measured against: a hand-written epoll loop, level-triggered, no
 * coroutines, one thread, the same upper-casing. What a careful engineer writes in an hour.
 *
 * Usage: peer-epoll [PROCESSES]   Prints "ready: 127.0.0.1:PORT" on stderr and serves until it is
 * killed; several processes have a listening socket each, in one reuseport group. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/peers/upper.h"

#define EVENTS 256
#define BUFFER_SIZE (64 * 1024)

/* What a connection could not send yet; most never have one. */
struct connection {
	int fd;
	char *rest;
	size_t length;
	size_t sent;
};

static int epoll;
static char buffer[BUFFER_SIZE];

static void
watch(struct connection *connection, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = connection};

	if (epoll_ctl(epoll, operation, connection->fd, &event) != 0)
		perror("epoll_ctl");
}

static void
end(struct connection *connection)
{
	close(connection->fd);
	free(connection->rest);
	free(connection);
}

static void
accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		struct connection *connection = calloc(1, sizeof *connection);

		if (connection == NULL)
			abort();
		connection->fd = fd;
		watch(connection, EPOLL_CTL_ADD, EPOLLIN);
	}
}

/* Returns false when the connection is to end. */
static bool
flush(struct connection *connection)
{
	ssize_t sent = send(connection->fd, connection->rest + connection->sent,
		connection->length - connection->sent, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN;
	connection->sent += (size_t)sent;
	if (connection->sent < connection->length)
		return true;
	free(connection->rest);
	connection->rest = NULL;
	watch(connection, EPOLL_CTL_MOD, EPOLLIN);
	return true;
}

static bool
echo(struct connection *connection)
{
	ssize_t received = recv(connection->fd, buffer, sizeof buffer, 0), sent;

	if (received <= 0)
		return received < 0 && errno == EAGAIN;
	upper(buffer, (size_t)received);
	sent = send(connection->fd, buffer, (size_t)received, MSG_NOSIGNAL);
	if (sent == received)
		return true;
	if (sent < 0 && errno != EAGAIN)
		return false;
	if (sent < 0)
		sent = 0;
	connection->length = (size_t)(received - sent);
	connection->sent = 0;
	connection->rest = malloc(connection->length);
	if (connection->rest == NULL)
		return false;
	memcpy(connection->rest, buffer + sent, connection->length);
	watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
	return true;
}

/* Listens at the address, whose port is set if it is 0. Returns the socket. */
static int
listen_at(struct sockaddr_in *address)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	socklen_t length = sizeof *address;

	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)address, sizeof *address) == 0 &&
		listen(listener, 4096) == 0 &&
		getsockname(listener, (struct sockaddr *)address, &length) == 0)
		return listener;
	perror("peer-epoll");
	exit(1);
}

/* Becomes so many processes, which end with the first one. Returns whether this is the first. */
static bool
become(int processes)
{
	for (int i = 1; i < processes; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			return false;
		}
	return true;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct connection listening = {.fd = listen_at(&address)};
	struct epoll_event events[EVENTS];
	int listener;

	if (!become(argc > 1 ? atoi(argv[1]) : 1)) {
		close(listening.fd);
		listening.fd = listen_at(&address);
	} else {
		fprintf(stderr, "ready: 127.0.0.1:%u\n", ntohs(address.sin_port));
	}
	listener = listening.fd;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(&listening, EPOLL_CTL_ADD, EPOLLIN);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;

			if (connection == &listening)
				accept_all(listener);
			else if (!(connection->rest != NULL ? flush(connection) : echo(connection)))
				end(connection);
		}
	}
}
