/* Limits on connections, and timeouts: who waits, who is ended, and that permits go where clients
 * wait. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/server.h"

static struct server server;

static void
end(void)
{
	server_clean(&server);
}

TestSuite(limits, .fini = end, .timeout = 600);

/* Returns how many of the clients have been answered by now. */
static int
count_answered(const int *clients, int count)
{
	int answered = 0;

	for (int i = 0; i < count; i++) {
		struct pollfd query = {.fd = clients[i], .events = POLLIN};

		answered += clients[i] != -1 && poll(&query, 1, 0) == 1;
	}
	return answered;
}

struct crowd {
	int clients[40];
	int wanted;
};

static bool
is_answered(void *context)
{
	const struct crowd *crowd = context;

	return count_answered(crowd->clients, 40) >= crowd->wanted;
}

Test(limits, max_connections_is_reached_and_never_exceeded)
{
	struct crowd crowd = {.wanted = 10};

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--max-connections=10", NULL));
	for (int i = 0; i < 40; i++) {
		crowd.clients[i] = client_connect(server.program.port);
		cr_assert_neq(crowd.clients[i], -1, "the backlog takes them");
		cr_assert_eq(send(crowd.clients[i], "a", 1, 0), 1);
	}
	cr_assert(wait_until(is_answered, &crowd, 5), "fewer than allowed are served");
	poll(NULL, 0, 500);
	cr_assert_eq(count_answered(crowd.clients, 40), 10);
	cr_assert_eq(server_number(&server, "connections"), 10);
	cr_assert(program_expect(&server.program, "all 10 connections are in use", 5));
	/* As some clients leave, others get their turn, though the free permits are other hubs'. */
	for (int served = 0; served < 40;) {
		for (int i = 0; i < 40; i++) {
			struct pollfd query = {.fd = crowd.clients[i], .events = POLLIN};

			if (crowd.clients[i] == -1 || poll(&query, 1, 0) != 1)
				continue;
			cr_assert_leq(server_number(&server, "connections"), 10);
			close(crowd.clients[i]);
			crowd.clients[i] = -1;
			served++;
		}
		poll(NULL, 0, 5);
	}
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(limits, it_holds_through_a_reload_with_a_former_generation_that_is_full)
{
	struct crowd crowd = {.wanted = 10};

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--max-connections=10", NULL));
	for (int i = 0; i < 40; i++) {
		crowd.clients[i] = client_connect(server.program.port);
		cr_assert_eq(send(crowd.clients[i], "a", 1, 0), 1);
	}
	cr_assert(wait_until(is_answered, &crowd, 5));
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "scale", "1x3", NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	server.pid = (pid_t)server_number(&server, "pid");
	for (int i = 0; i < 100; i++) {
		cr_assert_leq(server_number(&server, "connections"), 10);
		poll(NULL, 0, 10);
	}
	for (int i = 0; i < 40; i++)
		close(crowd.clients[i]);
}

Test(limits, an_idle_connection_is_closed_in_order)
{
	int idle, busy;

	/* So long that the busy one is not silent for that time on a busy machine either. */
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--idle-timeout=4", NULL));
	idle = client_connect(server.program.port);
	busy = client_connect(server.program.port);
	cr_assert(client_exchange(idle, "a", "A"));
	for (int i = 0; i < 1000 && count_answered(&idle, 1) == 0; i++) {
		cr_assert(client_exchange(busy, "b", "B"));
		poll(NULL, 0, 100);
	}
	cr_assert(client_sees_end(idle));
	cr_assert(client_exchange(busy, "b", "B"));
	cr_assert_eq(server_number(&server, "totals.idle_closed"), 1);
	close(idle);
	close(busy);
}

/* Sends until the server takes no more. */
static void
stuff(int fd)
{
	static char bytes[65536];

	while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		continue;
}

static bool
is_broken_off(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.write_closed") == 1;
}

Test(limits, a_peer_that_never_reads_costs_a_bounded_buffer_and_is_broken_off)
{
	int fd;
	pid_t worker;
	long before;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--write-timeout=2", NULL));
	worker = server_worker(&server, 0);
	before = program_memory(worker);
	fd = client_connect(server.program.port);
	for (int i = 0; i < 100; i++) {
		stuff(fd);
		poll(NULL, 0, 10);
	}
	/* 20 MiB with the 4 MiB that the kernel holds; a sanitizer's allocator keeps more. */
	if (!program_is_sanitized())
		cr_assert_lt(program_memory(worker) - before, 16L << 20);
	cr_assert(wait_until(is_broken_off, NULL, 10));
	close(fd);
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "next", "NEXT"));
	close(fd);
}

Test(limits, one_that_reads_slowly_is_not_broken_off)
{
	char bytes[4096];
	int fd, small = 4096;
	ssize_t got = 0, sent = 0;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--write-timeout=4", NULL));
	fd = client_connect(server.program.port);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	memset(bytes, 'a', sizeof bytes);
	for (int i = 0; i < 2000; i++) {
		ssize_t length = send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (length < 0)
			break;
		sent += length;
	}
	/* Slower than the timeout as a whole, but never without progress for that long. */
	for (int i = 0; i < 70; i++) {
		ssize_t length;

		for (int more = 0;
			more < 16 && (length = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;
			more++)
			got += length;
		poll(NULL, 0, 100);
	}
	cr_assert_eq(server_number(&server, "totals.write_closed"), 0);
	cr_assert_lt(got, sent, "it was not slow enough for the test");
	cr_assert_gt(recv(fd, bytes, sizeof bytes, 0), 0, "%s", strerror(errno));
	close(fd);
}

Test(limits, a_service_that_ends_first_does_not_destroy_its_last_words)
{
	/* naughty ends a connection whose line is too long, even with unread bytes. */
	char bytes[1000], reply[8];
	int fd;

	cr_assert(server_start(&server, "naughty", "1", "1", NULL));
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "hello\n", "HELLO\n"));
	memset(bytes, 'x', sizeof bytes);
	cr_assert_eq(send(fd, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
	cr_assert_eq(recv(fd, reply, sizeof reply, 0), 0, "it is reset instead of ended");
	close(fd);
}

/* With fewer permits than hubs, permits go where clients wait. */
static void
serves_all_with(const char *limit, const char *processes, const char *threads)
{
	char option[40];
	int clients[20], left = 20;

	snprintf(option, sizeof option, "--max-connections=%s", limit);
	cr_assert(server_start(&server, "hubbub-echo", processes, threads, option, NULL));
	for (int i = 0; i < 20; i++) {
		clients[i] = client_connect(server.program.port);
		cr_assert_eq(send(clients[i], "a", 1, 0), 1);
	}
	for (int round = 0; round < 10000 && left > 0; round++) {
		for (int i = 0; i < 20; i++) {
			struct pollfd query = {.fd = clients[i], .events = POLLIN};

			if (clients[i] == -1 || poll(&query, 1, 0) != 1)
				continue;
			close(clients[i]);
			clients[i] = -1;
			left--;
		}
		poll(NULL, 0, 10);
	}
	cr_assert_eq(left, 0, "%d are never served", left);
	cr_assert_eq(server_end(&server, 20), 0);
	server_clean(&server);
}

Test(limits, one_far_beyond_what_files_allow_costs_nothing)
{
	struct timespec before, after;
	clockid_t clock;
	int fd;

	cr_assert(server_start(
		&server, "hubbub-echo", "2", "2", "--max-connections=999999999", NULL));
	fd = client_connect(server.program.port);
	cr_assert(client_exchange(fd, "many", "MANY"));
	/* The master moves permits twenty times a second: measures what that costs. */
	cr_assert_eq(clock_getcpuclockid(server.pid, &clock), 0);
	clock_gettime(clock, &before);
	poll(NULL, 0, 1000);
	clock_gettime(clock, &after);
	cr_assert_lt(
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000,
		500, "it computes all the time");
	close(fd);
	cr_assert_eq(program_stop(&server.program, SIGTERM, 10), 0);
}

Test(limits, permits_go_where_clients_wait)
{
	serves_all_with("1", "2", "1");
	serves_all_with("1", "1", "4");
	serves_all_with("3", "4", "2");
}
