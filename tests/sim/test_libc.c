/* Libc's names in a world: looks at several descriptors, and what is an error of the run; and that
 * all is libc's outside of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "tests/support/trace.h"

TestSuite(libc, .timeout = 60);

/* ---- looking at several ---- */

static void
look(int fd)
{
	struct pollfd query = {fd, POLLIN | POLLOUT, 0};
	struct timeval no_time = {0};
	fd_set in, out;
	int ready;

	ready = poll(&query, 1, 0);
	trace_say("poll %d: %d", ready, query.revents);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	out = in;
	ready = select(fd + 1, &in, &out, NULL, &no_time);
	trace_say("select %d: %d %d", ready, FD_ISSET(fd, &in) != 0, FD_ISSET(fd, &out) != 0);
}

static void *
look_body(void *unused)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 5}, found = {0};
	int pair[2], set = epoll_create1(0), waiting = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	epoll_ctl(set, EPOLL_CTL_ADD, pair[0], &event);
	look(pair[0]);
	trace_say("epoll %d", epoll_wait(set, &found, 1, 0));
	send(pair[1], "xyz", 3, 0);
	look(pair[0]);
	trace_say("epoll %d", epoll_wait(set, &found, 1, 0));
	trace_say("of %d", (int)found.data.u32);
	/* What is ready is answered at once, whatever the timeout. */
	trace_say("poll %d", poll(&(struct pollfd){pair[0], POLLIN, 0}, 1, -1));
	trace_call("ioctl", ioctl(pair[0], FIONREAD, &waiting));
	trace_say("%d bytes", waiting);
	close(set);
	close(pair[0]);
	close(pair[1]);
	trace_say("closed %d", poll(&(struct pollfd){pair[0], POLLIN, 0}, 1, 0));
	return unused;
}

Test(libc, a_look_is_answered)
{
	cr_assert_eq(hub_sim_run(1, NULL, look_body, NULL), 0, "%s", hub_sim_report());
	EXPECT_TRACE("poll 1: 4, select 1: 0 1, epoll 0, poll 1: 5, select 2: 1 1, epoll 1, of 5, "
		     "poll 1, ioctl 0, 3 bytes, closed 1");
}

/* ---- what is an error of the run ---- */

static void *
poll_for_a_time(void *unused)
{
	struct pollfd query = {eventfd(0, 0), POLLIN, 0};
	int64_t began = hub_now();

	trace_say("poll %d", poll(&query, 1, 5000));
	trace_say("after %d s", (int)((hub_now() - began) / HUB_SECOND));
	close(query.fd);
	return unused;
}

static void *
select_for_a_time(void *unused)
{
	struct timeval time = {.tv_sec = 1};

	trace_say("select %d", select(0, NULL, NULL, NULL, &time));
	return unused;
}

static void *
epoll_for_ever(void *unused)
{
	struct itimerspec value = {.it_value = {.tv_sec = 1}};
	struct epoll_event event = {.events = EPOLLIN};
	int set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);

	epoll_ctl(set, EPOLL_CTL_ADD, timer, &event);
	timerfd_settime(timer, 0, &value, NULL);
	trace_say("epoll %d", epoll_wait(set, &event, 1, -1));
	close(timer);
	close(set);
	return unused;
}

static void *
call_nanosleep(void *unused)
{
	usleep(1);
	return unused;
}

static void *
call_fork(void *unused)
{
	trace_call("fork", fork());
	return unused;
}

static void *
call_system(void *unused)
{
	trace_call("system", system("false"));
	return unused;
}

static void *
call_popen(void *unused)
{
	trace_pointer("popen", popen("false", "r"));
	return unused;
}

static void *
call_exec(void *unused)
{
	trace_call("execl", execl("/bin/false", "false", (char *)NULL));
	return unused;
}

static void *
call_spawn(void *unused)
{
	char *arguments[] = {NULL};
	pid_t pid;

	trace_error("posix_spawn", posix_spawn(&pid, "/bin/false", NULL, NULL, arguments, NULL));
	return unused;
}

static void *
nothing(void *argument)
{
	return argument;
}

static void *
call_pthread_create(void *unused)
{
	pthread_t thread;

	trace_error("pthread_create", pthread_create(&thread, NULL, nothing, NULL));
	return unused;
}

static int
no_number(void *unused)
{
	return unused != NULL;
}

static void *
call_thrd_create(void *unused)
{
	thrd_t thread;

	trace_whether("created", thrd_create(&thread, no_number, NULL) == thrd_success);
	return unused;
}

Test(libc, what_a_world_cannot_do_is_an_error_of_the_run)
{
	static const struct {
		hub_fn *body;
		const char *trace, *report;
	} cases[] = {
		{poll_for_a_time, "poll 0, after 5 s", "poll blocks the thread: call hub_poll"},
		{select_for_a_time, "select 0", "select blocks the thread: call hub_poll"},
		{epoll_for_ever, "epoll 1", "epoll_wait blocks the thread: call hub_wait_fd"},
		{call_nanosleep, "", "sleep, blocks the thread: call hub_sleep"},
		{call_fork, "fork ENOSYS",
			"fork: a world has no processes; give the code a function"},
		{call_system, "system ENOSYS", "system: a world has no processes"},
		{call_popen, "popen ENOSYS", "popen: a world has no processes"},
		{call_exec, "execl ENOSYS", "execve: a world has no processes"},
		{call_spawn, "posix_spawn ENOSYS", "posix_spawn: a world has no processes"},
		{call_pthread_create, "pthread_create EPERM",
			"pthread_create: a world has one thread; call hub_spawn, or hub_offload"},
		{call_thrd_create, "not created", "thrd_create: a world has one thread"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_expect_eq(hub_sim_run(1, NULL, cases[i].body, NULL), -1);
		cr_expect_eq(errno, ENOTRECOVERABLE);
		cr_expect_not_null(
			strstr(hub_sim_report(), cases[i].report), "%s", hub_sim_report());
		EXPECT_TRACE(cases[i].trace);
	}
}

/* ---- outside of a run ---- */

Test(libc, outside_of_a_run_processes_and_threads_are_libcs)
{
	struct timeval time = {.tv_usec = 1000};
	pthread_t thread;
	FILE *stream;
	thrd_t other;
	int status, ends[2];
	pid_t pid = fork();
	char *arguments[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
		(char *)(uintptr_t) "exit 6", NULL};

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	cr_expect_eq(WEXITSTATUS(status), 5);
	cr_assert_eq(posix_spawnp(&pid, "sh", NULL, NULL, arguments, environ), 0);
	waitpid(pid, &status, 0);
	cr_expect_eq(WEXITSTATUS(status), 6);
	status = system("exit 7");
	cr_expect_eq(WEXITSTATUS(status), 7);
	stream = popen("exit 8", "r");
	status = pclose(stream);
	cr_expect_eq(WEXITSTATUS(status), 8);
	cr_expect_eq(pthread_create(&thread, NULL, nothing, NULL), 0);
	pthread_join(thread, NULL);
	cr_expect_eq(thrd_create(&other, no_number, NULL), thrd_success);
	thrd_join(other, NULL);
	cr_assert_eq(pipe(ends), 0);
	cr_expect_eq(poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, 1), 0);
	cr_expect_eq(poll(&(struct pollfd){ends[1], POLLOUT, 0}, 1, -1), 1);
	cr_expect_eq(select(0, NULL, NULL, NULL, &time), 0);
	close(ends[0]);
	close(ends[1]);
}
