/* Stopping: gracefully, at the deadline, at once. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
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

TestSuite(signals, .fini = end, .timeout = 60);

static bool
is_refused(void *context)
{
	int fd = client_connect(*(int *)context);

	if (fd != -1)
		close(fd);
	return fd == -1;
}

Test(signals, term_lets_connections_end_and_accepts_no_more)
{
	int fd;

	cr_assert(program_start_echo(&server, "-p2", "-t2", NULL));
	fd = client_connect(server.port);
	cr_assert(client_exchange(fd, "before", "BEFORE"));
	kill(server.pid, SIGTERM);
	cr_assert(wait_until(is_refused, &server.port, 10), "it still accepts");
	cr_assert(client_exchange(fd, "meanwhile", "MEANWHILE"));
	cr_assert_eq(program_wait(&server, 0.3), -1, "it does not wait for the connection");
	close(fd);
	cr_assert_eq(program_wait(&server, 10), 0);
	cr_assert_not_null(
		strstr(server.text, "connections are open, they have 30 s"), "%s", server.text);
	cr_assert_not_null(strstr(server.text, "stopped: served"), "%s", server.text);
}

Test(signals, at_the_drain_deadline_connections_are_closed)
{
	int64_t began;
	int fd;

	cr_assert(program_start_echo(&server, "-p2", "-t1", "--drain-timeout=0.5", NULL));
	fd = client_connect(server.port);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
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
	int64_t began;

	cr_assert(program_start_echo(&server, "-p2", "-t2", NULL));
	fd = client_connect(server.port);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	began = clock_now();
	kill(server.pid, first);
	if (second != 0) {
		cr_assert(program_expect(&server, "stopping:", 10));
		kill(server.pid, second);
	}
	cr_assert_eq(program_wait(&server, 20), code, "%s", server.text);
	cr_assert_lt(clock_now() - began, 10 * CLOCK_SECOND);
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
	kill(server.pid, SIGHUP);
	cr_assert(program_expect(&server, "ignored", 10));
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
