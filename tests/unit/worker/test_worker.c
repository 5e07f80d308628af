/* A whole worker in this process's child, with the test as its master. */
#include "worker/worker.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/hub.h"
#include "tests/support/program.h"
#include "worker/channel.h"

#define THREADS 2

struct fixture {
	struct counters *counters;
	struct worker_row *rows;
	int sockets[THREADS];
	int channel;
	int64_t drain_timeout;
	struct sockaddr_in address;
	pid_t pid;
};

static void
serve_once(int client, void *context)
{
	char byte;

	(void)context;
	if (hub_recv(client, &byte, 1, 0) == 1)
		hub_send(client, &byte, 1, 0);
}

static void
bind_sockets(struct fixture *fixture)
{
	socklen_t length = sizeof fixture->address;
	int on = 1;

	fixture->address = (struct sockaddr_in){.sin_family = AF_INET};
	fixture->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < THREADS; i++) {
		fixture->sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		setsockopt(fixture->sockets[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
		bind(fixture->sockets[i], (struct sockaddr *)&fixture->address, length);
		getsockname(fixture->sockets[i], (struct sockaddr *)&fixture->address, &length);
		listen(fixture->sockets[i], 128);
	}
}

/* heritage lacks only what the fixture has. */
static void
launch(struct fixture *fixture, struct worker_heritage heritage, unsigned files)
{
	int pair[2], counters_file;

	fixture->counters = counters_new(&counters_file);
	fixture->rows = counters_claim(fixture->counters, 0, 1, heritage.threads);
	for (unsigned i = 0; i < heritage.threads; i++)
		fixture->rows[i].permits = 1000;
	fixture->rows[0].granted = heritage.threads * 1000;
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	fixture->channel = pair[0];
	fixture->pid = fork();
	if (fixture->pid == 0) {
		struct rlimit limit = {files, files};

		heritage.addresses = 1;
		heritage.backlog = 128;
		heritage.drain_timeout = fixture->drain_timeout;
		heritage.sockets = fixture->sockets;
		heritage.channel = pair[1];
		heritage.counters = fixture->counters;
		heritage.rows = fixture->rows;
		close(pair[0]);
		if (files != 0)
			setrlimit(RLIMIT_NOFILE, &limit);
		exit(worker_run(&heritage));
	}
	close(pair[1]);
}

static void
start_worker(struct fixture *fixture, void (*serve)(int, void *), unsigned files)
{
	bind_sockets(fixture);
	launch(fixture, (struct worker_heritage){.serve = serve, .threads = THREADS}, files);
}

static void
tell(struct fixture *fixture, uint32_t kind, uint32_t hub)
{
	struct channel_message message = {.kind = kind, .hub = hub};

	send(fixture->channel, &message, sizeof message, MSG_NOSIGNAL);
}

/* Waits for count messages of that kind. */
static bool
hear(struct fixture *fixture, uint32_t kind, int count)
{
	struct pollfd query = {.fd = fixture->channel, .events = POLLIN};
	struct channel_message message;

	while (count > 0) {
		if (poll(&query, 1, 10000) != 1 ||
			recv(fixture->channel, &message, sizeof message, 0) != sizeof message)
			return false;
		count -= message.kind == kind;
	}
	return true;
}

static int
connect_client(const struct fixture *fixture)
{
	struct timeval limit = {10, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (const struct sockaddr *)&fixture->address, sizeof fixture->address) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
exchange(int fd)
{
	char byte = 'a';

	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1 && byte == 'a';
}

static int
worker_exit(struct fixture *fixture)
{
	int status = -1;

	alarm(20);
	waitpid(fixture->pid, &status, 0);
	alarm(0);
	if (fixture->channel != -1)
		close(fixture->channel);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
accept_on_all(struct fixture *fixture)
{
	cr_assert(hear(fixture, CHANNEL_READY, 1));
	tell(fixture, CHANNEL_ACCEPT, 0);
}

static uint64_t
sum(const struct fixture *fixture, size_t field)
{
	uint64_t total = 0;

	for (int i = 0; i < THREADS; i++)
		total += *(const uint64_t *)((const char *)&fixture->rows[i] + field);
	return total;
}

Test(worker, accepts_only_when_told_to_and_counts)
{
	struct fixture fixture = {0};
	int client;

	start_worker(&fixture, serve_once, 0);
	client = connect_client(&fixture);
	cr_assert(hear(&fixture, CHANNEL_READY, 1));
	cr_assert_eq(sum(&fixture, offsetof(struct worker_row, accepted)), 0);
	tell(&fixture, CHANNEL_ACCEPT, 0);
	cr_assert(exchange(client));
	cr_assert_eq(sum(&fixture, offsetof(struct worker_row, accepted)), 1);
	cr_assert_eq(sum(&fixture, offsetof(struct worker_row, hub.bytes_received)), 1);
	close(client);
	tell(&fixture, CHANNEL_STOP, 0);
	cr_assert_eq(worker_exit(&fixture), 0);
	cr_assert_eq(sum(&fixture, offsetof(struct worker_row, closed)), 1);
}

Test(worker, draining_serves_what_is_queued_and_open_and_then_leaves)
{
	struct fixture fixture = {0};
	int clients[20];

	start_worker(&fixture, serve_once, 0);
	accept_on_all(&fixture);
	/* Some are accepted, some may still be queued when the order comes. */
	for (int i = 0; i < 20; i++)
		clients[i] = connect_client(&fixture);
	tell(&fixture, CHANNEL_DRAIN, 0);
	cr_assert(hear(&fixture, CHANNEL_DRAINED, THREADS));
	for (int i = 0; i < 20; i++)
		cr_assert(exchange(clients[i]), "client %d is lost", i);
	cr_assert_eq(worker_exit(&fixture), 0);
}

Test(worker, stop_closes_open_connections)
{
	struct fixture fixture = {0};
	int client;
	char byte;

	start_worker(&fixture, serve_once, 0);
	accept_on_all(&fixture);
	client = connect_client(&fixture);
	while (sum(&fixture, offsetof(struct worker_row, accepted)) == 0)
		poll(NULL, 0, 1);
	tell(&fixture, CHANNEL_STOP, 0);
	cr_assert_eq(worker_exit(&fixture), 0);
	cr_assert_eq(recv(client, &byte, 1, 0), 0);
	cr_assert_eq(sum(&fixture, offsetof(struct worker_row, closed)), 1);
}

static void
hold(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) == 1)
		hub_send(client, &byte, 1, 0);
}

/* ---- without a master ---- */

/* As when it is killed: neither the channel nor the sockets are held any more. */
static void
lose_master(struct fixture *fixture)
{
	close(fixture->channel);
	fixture->channel = -1;
	for (int i = 0; i < THREADS; i++)
		close(fixture->sockets[i]);
}

static bool
is_refused(void *context)
{
	int fd = connect_client(context);

	if (fd != -1)
		close(fd);
	return fd == -1;
}

/* Every permit that no connection needs is given up. */
static bool
has_only_granted_one(void *context)
{
	const struct fixture *fixture = context;

	return __atomic_load_n(&fixture->rows[0].granted, __ATOMIC_RELAXED) == 1;
}

Test(worker, whose_master_is_gone_closes_what_listens_and_serves_what_is_open)
{
	struct fixture fixture = {.drain_timeout = 60 * HUB_SECOND};
	int client;

	start_worker(&fixture, hold, 0);
	accept_on_all(&fixture);
	client = connect_client(&fixture);
	cr_assert(exchange(client));
	lose_master(&fixture);
	cr_assert(wait_until(is_refused, &fixture, 10), "it still listens");
	cr_assert(wait_until(has_only_granted_one, &fixture, 10));
	cr_assert(exchange(client));
	close(client);
	cr_assert_eq(worker_exit(&fixture), 0);
}

Test(worker, whose_master_is_gone_serves_what_was_queued)
{
	struct fixture fixture = {.drain_timeout = 60 * HUB_SECOND};
	int clients[20];

	start_worker(&fixture, serve_once, 0);
	cr_assert(hear(&fixture, CHANNEL_READY, 1));
	for (int i = 0; i < 20; i++)
		clients[i] = connect_client(&fixture);
	tell(&fixture, CHANNEL_ACCEPT, 0);
	lose_master(&fixture);
	for (int i = 0; i < 20; i++) {
		cr_assert(exchange(clients[i]), "client %d is lost", i);
		close(clients[i]);
	}
	cr_assert_eq(worker_exit(&fixture), 0);
}

Test(worker, whose_master_is_gone_ends_connections_at_the_deadline)
{
	struct fixture fixture = {.drain_timeout = HUB_SECOND / 5};
	int client;
	char byte;

	start_worker(&fixture, hold, 0);
	accept_on_all(&fixture);
	client = connect_client(&fixture);
	while (sum(&fixture, offsetof(struct worker_row, accepted)) == 0)
		poll(NULL, 0, 1);
	lose_master(&fixture);
	cr_assert_eq(recv(client, &byte, 1, 0), 0, "it is not closed in order");
	cr_assert_eq(worker_exit(&fixture), 0);
}

Test(worker, whose_master_is_gone_before_it_was_to_accept_leaves)
{
	struct fixture fixture = {.drain_timeout = 60 * HUB_SECOND};
	int client;

	start_worker(&fixture, serve_once, 0);
	client = connect_client(&fixture);
	cr_assert(hear(&fixture, CHANNEL_READY, 1));
	close(fixture.channel);
	fixture.channel = -1;
	cr_assert_eq(worker_exit(&fixture), 0);
	cr_assert_eq(sum(&fixture, offsetof(struct worker_row, accepted)), 0,
		"that one was another generation's");
	close(client);
}

Test(worker, out_of_files_it_waits_without_spinning_and_goes_on_as_connections_close)
{
	struct fixture fixture = {0};
	struct rusage usage;
	int clients[60];
	uint64_t errors;

	start_worker(&fixture, hold, 40);
	accept_on_all(&fixture);
	for (int i = 0; i < 60; i++)
		clients[i] = connect_client(&fixture);
	while ((errors = sum(&fixture, offsetof(struct worker_row, accept_limited))) < 3)
		poll(NULL, 0, 1);
	/* Those that were accepted close; the others, queued, get their turn. */
	for (int i = 0; i < 60; i++) {
		struct timeval limit = {0, 50000};

		setsockopt(clients[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		if (exchange(clients[i])) {
			close(clients[i]);
			clients[i] = -1;
		}
	}
	for (int i = 0; i < 60; i++) {
		struct timeval limit = {10, 0};
		char byte;

		if (clients[i] == -1)
			continue;
		setsockopt(clients[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		cr_assert_eq(recv(clients[i], &byte, 1, 0), 1, "client %d is never served", i);
		close(clients[i]);
	}
	tell(&fixture, CHANNEL_STOP, 0);
	cr_assert_eq(worker_exit(&fixture), 0);
	getrusage(RUSAGE_CHILDREN, &usage);
	cr_assert_lt(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec, 2, "it has spun");
	cr_assert_lt(errors, 10000);
}

static ssize_t
answer_slowly(struct hub_datagram *datagram, size_t size, void *context)
{
	static const struct timespec step = {0, 30000000};

	(void)size, (void)context;
	nanosleep(&step, NULL);
	return (ssize_t)datagram->length;
}

/* Those that are queued, two dozen, are taken out at once; what else the hub has to do does not
 * wait for all. */
Test(worker, slow_answers_to_datagrams_take_turns, .timeout = 60)
{
	struct fixture fixture = {.address = {.sin_family = AF_INET}};
	socklen_t length = sizeof fixture.address;
	int client = socket(AF_INET, SOCK_DGRAM, 0);

	fixture.sockets[0] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	fixture.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(fixture.sockets[0], (struct sockaddr *)&fixture.address, length);
	getsockname(fixture.sockets[0], (struct sockaddr *)&fixture.address, &length);
	for (int i = 0; i < 24; i++)
		sendto(client, "x", 1, 0, (struct sockaddr *)&fixture.address, length);
	launch(&fixture,
		(struct worker_heritage){
			.serve = serve_once, .answer = answer_slowly, .threads = 1},
		0);
	accept_on_all(&fixture);
	while (__atomic_load_n(&fixture.rows[0].replies, __ATOMIC_RELAXED) < 24)
		poll(NULL, 0, 1);
	/* It remembers the longest, and forgets an eighth of it ten times a second. */
	cr_assert_lt(
		__atomic_load_n(&fixture.rows[0].lag, __ATOMIC_RELAXED), 300 * HUB_MILLISECOND);
	tell(&fixture, CHANNEL_STOP, 0);
	cr_assert_eq(worker_exit(&fixture), 0);
	close(client);
}
