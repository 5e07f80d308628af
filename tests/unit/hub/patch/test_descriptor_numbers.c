/* Numbers of descriptors: those that come again, those above what the hub has a table for, those
 * that another thread closes, and the hub's own. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/loopback.h"

static void *
reuse_numbers(void *argument)
{
	int right = 0;

	for (int i = 0; i < 200; i++) {
		int ends[2], other[2];
		char byte = 0;

		socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
		loopback_limit(ends[0], SO_RCVTIMEO, 1000);
		if (i % 4 == 0)
			recv(ends[0], &byte, 1, 0);
		/* By a way that nobody sees now and then. */
		if (i % 2 == 0)
			syscall(SYS_close, ends[0]);
		else
			close(ends[0]);
		pipe(other);
		write(other[1], "x", 1);
		right += read(other[0], &byte, 1) == 1;
		dup2(other[0], ends[1]);
		close(other[0]);
		close(other[1]);
		close(ends[1]);
	}
	*(int *)argument = right;
	return NULL;
}

TestSuite(descriptor_numbers, .timeout = 60);

Test(descriptor_numbers, they_may_come_again_however_they_were_closed)
{
	int right = 0;

	hub_patch_all();
	in_hub(reuse_numbers, &right);
	cr_assert_eq(right, 200);
}

/* ---- above the table ---- */

static void *
go_above(void *argument)
{
	int first = *(int *)argument, impossible = 1 << 30;
	int ends[2], high;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	high = fcntl(ends[0], F_DUPFD, first);
	trace_call("is high", high >= first);
	write(ends[1], "x", 1);
	trace_call("read", read(high, &byte, 1));
	close(ends[1]);
	trace_call("read at the end", read(high, &byte, 1));
	trace_call("close", close(high));
	trace_call("read when closed", read(high, &byte, 1));
	trace_call("read -1", read(-1, &byte, 1));
	trace_call("fcntl", fcntl(impossible, F_GETFL));
	trace_call("close", close(impossible));
	trace_call("accept", accept(impossible, NULL, NULL));
	close(ends[0]);
	return NULL;
}

Test(descriptor_numbers, high_ones_and_impossible_ones)
{
	struct rlimit limit;
	int first;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	first = (int)limit.rlim_cur - 10;
	hub_patch_all();
	in_hub(go_above, &first);
	EXPECT_TRACE("is high 1, read 1, read at the end 0, close 0, read when closed EBADF, "
		     "read -1 EBADF, fcntl EBADF, close EBADF, accept EBADF");
}

/* ---- another thread closes, and the numbers come again ---- */

static void *
make_again(void *argument)
{
	int *ends = argument;

	close(ends[0]);
	close(ends[1]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	return NULL;
}

static void *
write_later(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	write(((int *)argument)[1], "x", 1);
	return NULL;
}

static void *
lose_to_thread(void *argument)
{
	int ends[2], right = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	for (int i = 0; i < 20; i++) {
		pthread_t thread;
		char byte;

		hub_detach(hub_spawn(write_later, ends));
		right += read(ends[0], &byte, 1) == 1;
		pthread_create(&thread, NULL, make_again, ends);
		pthread_join(thread, NULL);
	}
	close(ends[0]);
	close(ends[1]);
	*(int *)argument = right;
	return NULL;
}

Test(descriptor_numbers, a_thread_may_close_what_nobody_waits_for)
{
	int right = 0;

	hub_patch_all();
	in_hub(lose_to_thread, &right);
	cr_assert_eq(right, 20);
}

/* ---- the hub's own descriptors ---- */

enum closing { CLOSE_EACH, CLOSE_RANGE, CLOSE_FROM, CLOSE_BY_DUP, CLOSINGS };

static void
close_everything(enum closing how)
{
	switch (how) {
	case CLOSE_EACH:
		for (int fd = 3; fd < 2000; fd++)
			close(fd);
		break;
	case CLOSE_RANGE:
		close_range(3, ~0U, 0);
		break;
	case CLOSE_FROM:
		closefrom(3);
		break;
	default:
		for (int fd = 3; fd < 2000; fd++)
			dup2(STDOUT_FILENO, fd);
		close_range(3, ~0U, 0);
	}
}

static void
be_handled(int number)
{
	(void)number;
}

static void *
write_one(void *fd)
{
	write(*(int *)fd, "x", 1);
	return NULL;
}

static void *
raise_one(void *argument)
{
	raise(SIGUSR1);
	return argument;
}

/* Closes all, then opens as many: libev's would be among them. */
static void *
close_and_open(void *argument)
{
	enum closing how = *(enum closing *)argument;
	struct sigaction action = {.sa_handler = be_handled};
	int ends[2], others[40];
	char byte;

	sigaction(SIGUSR1, &action, NULL);
	usleep(1000);
	close_everything(how);
	for (int i = 0; i < 40; i += 2)
		pipe(&others[i]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	hub_spawn_later(HUB_MILLISECOND, write_one, &ends[1]);
	trace_call("read", read(ends[0], &byte, 1));
	trace_say("first of the others %d", others[0]);
	hub_spawn_later(HUB_MILLISECOND, raise_one, NULL);
	trace_call("read", read(ends[0], &byte, 1));
	return argument;
}

/* A process of its own, since it closes everything. */
static _Noreturn void
be_closer(enum closing how)
{
	const char *text;

	hub_run(close_and_open, &how, NULL);
	text = trace_take();
	if (strcmp(text, "read 1, first of the others 3, read EINTR") == 0)
		_exit(0);
	dprintf(STDERR_FILENO, "noted: %s\n", text);
	_exit(1);
}

Test(descriptor_numbers, the_hubs_own_are_closed_by_nobody)
{
	hub_patch_all();
	for (enum closing how = 0; how < CLOSINGS; how++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0)
			be_closer(how);
		waitpid(child, &status, 0);
		cr_expect_eq(status, 0, "%d: %x", how, status);
	}
}
