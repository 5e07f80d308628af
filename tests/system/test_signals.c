/* Stopping by signals: gracefully, at the deadline, at once; and who is served meanwhile. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/program.h"

static struct program server;

static void
end(void)
{
	program_end(&server);
}

TestSuite(signals, .fini = end, .timeout = 600);

/* Much longer than any wait below. */
#define LONG_DRAIN "--drain-timeout=1000"

/* Starts a service that says when it is busy with a client (waits.c). */
static void
start_waits(void)
{
	char *argv[] = {program_path("waits"), "--listen=127.0.0.1:0", "-p2", "-t2", NULL};

	cr_assert(program_start(&server, argv, 0));
	cr_assert(program_expect(&server, ", pid ", 20), "%s", server.text);
	cr_assert_eq(
		sscanf(strstr(server.text, "ready: "), "ready: 127.0.0.1:%d", &server.port), 1);
}

struct refusal {
	int busy;       /* a connection that goes on talking */
	bool has_ended; /* although it went on talking */
};

/* A connection that begins while the server closes its sockets may get no answer for a second. */
static bool
is_refused(void *context)
{
	struct refusal *refusal = context;
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)server.port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd query = {.events = POLLOUT};
	socklen_t length = sizeof(int);
	int error = 0;
	bool refused;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connect(fd, (struct sockaddr *)&address, sizeof address);
	query.fd = fd;
	poll(&query, 1, 20);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	refused = error == ECONNREFUSED;
	close(fd);
	if (!client_exchange(refusal->busy, "meanwhile\n", "MEANWHILE\n"))
		refusal->has_ended = true;
	return refused;
}

Test(signals, term_lets_connections_end_and_accepts_no_more)
{
	struct refusal refusal = {.has_ended = false};

	start_waits();
	refusal.busy = client_connect(server.port);
	/* However long it is silent, it is not idle. */
	cr_assert(client_exchange(refusal.busy, "busy\n", "yes\n"));
	kill(server.pid, SIGTERM);
	cr_assert(wait_until(is_refused, &refusal, 10), "it still accepts");
	cr_assert_not(refusal.has_ended, "a connection in use was ended");
	cr_assert_eq(program_wait(&server, 0.1), -1, "it does not wait for the connection");
	close(refusal.busy);
	cr_assert_eq(program_wait(&server, 10), 0);
	/* A client of another test may have come, on a port that was its server's. */
	cr_assert_not_null(strstr(server.text, "open, "), "%s", server.text);
	cr_assert_not_null(strstr(server.text, " 30 s to end"), "%s", server.text);
	cr_assert_not_null(strstr(server.text, "stopped: served"), "%s", server.text);
}

Test(signals, an_idle_connection_gets_its_end_in_order_long_before_the_deadline)
{
	int fd;

	cr_assert(program_start_echo(&server, "-p2", "-t1", LONG_DRAIN, NULL));
	fd = client_connect(server.port);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	kill(server.pid, SIGTERM);
	cr_assert(client_sees_end(fd));
	close(fd);
	cr_assert_eq(program_wait(&server, 20), 0, "%s", server.text);
}

Test(signals, at_the_drain_deadline_connections_are_closed)
{
	int64_t began;
	int fd;

	cr_assert(program_start_echo(&server, "-p2", "-t1", "--drain-timeout=0.5", NULL));
	/* The client has sent nothing, so it is not idle, and the drain waits for it. */
	fd = client_connect(server.port);
	began = clock_now();
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0, "%s", server.text);
	cr_assert_geq(clock_now() - began, CLOCK_SECOND / 2);
	cr_assert(client_sees_end(fd), "the connection is not closed in order");
	cr_assert_not_null(strstr(server.text, "deadline"), "%s", server.text);
	close(fd);
}

static void
stops_at_once(int first, int second, int code)
{
	int fd;

	cr_assert(program_start_echo(&server, "-p2", "-t2", LONG_DRAIN, NULL));
	/* The client has sent nothing, so it is not idle, and a drain would wait for it. */
	fd = client_connect(server.port);
	kill(server.pid, first);
	if (second != 0) {
		cr_assert(program_expect(&server, "stopping:", 10));
		kill(server.pid, second);
	}
	cr_assert_eq(program_wait(&server, 20), code, "%s", server.text);
	close(fd);
}

Test(signals, int_stops_at_once)
{
	stops_at_once(SIGINT, 0, 128 + SIGINT);
}

Test(signals, quit_stops_at_once)
{
	stops_at_once(SIGQUIT, 0, 128 + SIGQUIT);
}

Test(signals, a_second_term_stops_at_once)
{
	stops_at_once(SIGTERM, SIGTERM, 128 + SIGTERM);
}

Test(signals, workers_leave_stopping_to_the_master)
{
	pid_t workers[2];
	int fd;

	cr_assert(program_start_echo(&server, "-p2", "-t1", NULL));
	cr_assert_eq(program_children(server.pid, workers, 2), 2);
	for (int i = 0; i < 2; i++) {
		kill(workers[i], SIGINT);
		kill(workers[i], SIGTERM);
	}
	fd = client_connect(server.port);
	cr_assert(client_exchange(fd, "still here", "STILL HERE"));
	close(fd);
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0);
	cr_assert_null(strstr(server.text, "was killed"), "%s", server.text);
}

Test(signals, blocked_and_ignored_ones_that_it_inherits_do_not_matter)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	signal(SIGCHLD, SIG_IGN);
	cr_assert(program_start_echo(&server, "-p1", "-t1", NULL));
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	cr_assert_eq(program_stop(&server, SIGTERM, 20), 0, "%s", server.text);
}
