#include "tests/unit/worker/child.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "worker/channel.h"

void
child_serve_once(int client, void *context)
{
	char byte;

	(void)context;
	if (hub_recv(client, &byte, 1, 0) == 1)
		hub_send(client, &byte, 1, 0);
}

static void
bind_sockets(struct child *child)
{
	socklen_t length = sizeof child->address;
	int on = 1;

	child->address = (struct sockaddr_in){.sin_family = AF_INET};
	child->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < CHILD_THREADS; i++) {
		child->sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		setsockopt(child->sockets[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
		bind(child->sockets[i], (struct sockaddr *)&child->address, length);
		getsockname(child->sockets[i], (struct sockaddr *)&child->address, &length);
		listen(child->sockets[i], 128);
	}
}

/* heritage lacks only what the child has. */
void
child_launch(struct child *child, struct worker_heritage heritage, unsigned files)
{
	int pair[2], counters_file;

	child->counters = counters_new(&counters_file);
	child->rows = counters_claim(child->counters, 0, 1, heritage.threads);
	for (unsigned i = 0; i < heritage.threads; i++)
		child->rows[i].permits = 1000;
	child->rows[0].granted = heritage.threads * 1000;
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	child->channel = pair[0];
	for (struct channel_message other = {.kind = CHANNEL_KIND_MAX}; child->is_full;)
		child->is_full = channel_send(pair[1], &other, -1) == 0;
	child->pid = fork();
	if (child->pid == 0) {
		struct rlimit limit = {files, files};

		heritage.addresses = 1;
		heritage.backlog = 128;
		heritage.drain_timeout = child->drain_timeout;
		heritage.sockets = child->sockets;
		heritage.channel = pair[1];
		heritage.counters = child->counters;
		heritage.rows = child->rows;
		close(pair[0]);
		if (files != 0)
			setrlimit(RLIMIT_NOFILE, &limit);
		exit(worker_run(&heritage));
	}
	close(pair[1]);
}

void
child_start(struct child *child, void (*serve)(int, void *), unsigned files)
{
	bind_sockets(child);
	child_launch(
		child, (struct worker_heritage){.serve = serve, .threads = CHILD_THREADS}, files);
}

void
child_tell(struct child *child, uint32_t kind, uint32_t hub)
{
	struct channel_message message = {.kind = kind, .hub = hub};

	send(child->channel, &message, sizeof message, MSG_NOSIGNAL);
}

/* Waits for count messages of that kind. */
bool
child_hear(struct child *child, uint32_t kind, int count)
{
	struct pollfd query = {.fd = child->channel, .events = POLLIN};
	struct channel_message message;

	while (count > 0) {
		if (poll(&query, 1, 10000) != 1 ||
			recv(child->channel, &message, sizeof message, 0) != sizeof message)
			return false;
		count -= message.kind == kind;
	}
	return true;
}

int
child_connect(const struct child *child)
{
	struct timeval limit = {10, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (const struct sockaddr *)&child->address, sizeof child->address) == 0)
		return fd;
	close(fd);
	return -1;
}

bool
child_exchange(int fd)
{
	char byte = 'a';

	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1 && byte == 'a';
}

int
child_exit(struct child *child)
{
	int status = -1;

	alarm(20);
	waitpid(child->pid, &status, 0);
	alarm(0);
	if (child->channel != -1)
		close(child->channel);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
child_accept(struct child *child)
{
	cr_assert(child_hear(child, CHANNEL_READY, 1));
	child_tell(child, CHANNEL_ACCEPT, 0);
}

uint64_t
child_sum(const struct child *child, size_t field)
{
	uint64_t total = 0;

	for (int i = 0; i < CHILD_THREADS; i++)
		total += *(const uint64_t *)((const char *)&child->rows[i] + field);
	return total;
}

void
child_hold(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) == 1)
		hub_send(client, &byte, 1, 0);
}

double
child_polls(const struct child *child)
{
	size_t polls = offsetof(struct worker_row, hub.polls);
	uint64_t before;
	int64_t began;

	poll(NULL, 0, 100);
	before = child_sum(child, polls);
	began = clock_now();
	poll(NULL, 0, 1000);
	return (double)(child_sum(child, polls) - before) / clock_seconds(clock_now() - began);
}
