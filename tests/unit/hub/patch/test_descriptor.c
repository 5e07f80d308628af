/* Descriptors are as the application set them: a call that waits changes no flag that the
 * application, a thread, another process or another program could see. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/loopback.h"

static void
note_blocking(const char *name, int fd)
{
	trace_say("%s %s", name, fcntl(fd, F_GETFL) & O_NONBLOCK ? "does not block" : "blocks");
}

/* Whether a child of fork, vfork or posix_spawn ends with exit code 0. */
static void
note_child(const char *name, pid_t child)
{
	int status = -1;

	trace_call(name, waitpid(child, &status, 0) == child ? status : -1);
}

static void *
keep_flags(void *argument)
{
	int ends[2], pipes[2], listener = loopback_listen(), copy, client, off = 0;
	struct hub_coroutine *acceptor = hub_spawn(loopback_accept_one, &listener);
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	pipe(pipes);
	loopback_limit(ends[0], SO_RCVTIMEO, 3000);
	trace_call("read for 3 ms", read(ends[0], &byte, 1));
	note_blocking("it", ends[0]);
	/* A coroutine waits in accept: the kernel's flag is ours. */
	until_it_waits(acceptor);
	note_blocking("listener", listener);
	copy = dup(listener);
	note_blocking("its duplicate", copy);
	client = loopback_connect(listener);
	note_blocking("client", client);
	hub_join(acceptor, NULL);
	/* The application's own word, by the one number, is seen by the other. */
	fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK);
	note_blocking("set by its duplicate it", listener);
	trace_call("accept", accept(listener, NULL, NULL));
	ioctl(listener, FIONBIO, &off);
	note_blocking("cleared by ioctl its duplicate", copy);
	close(client);
	close(copy);
	/* Non-blocking is told at once. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	trace_call("read", read(ends[0], &byte, 1));
	trace_call("recv", recv(ends[0], &byte, 1, 0));
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	trace_call("read a pipe", read(pipes[0], &byte, 1));
	fcntl(ends[0], F_SETFL, 0);
	trace_call("MSG_DONTWAIT", recv(ends[0], &byte, 1, MSG_DONTWAIT));
	note_blocking("the other end", pipes[1]);
	close(ends[0]);
	close(ends[1]);
	close(pipes[0]);
	close(pipes[1]);
	close(listener);
	return argument;
}

TestSuite(descriptor, .timeout = 60);

Test(descriptor, flags_are_the_applications)
{
	hub_patch_all();
	in_hub(keep_flags, NULL);
	EXPECT_TRACE("read for 3 ms EAGAIN, it blocks, listener blocks, its duplicate blocks, "
		     "client blocks, set by its duplicate it does not block, accept EAGAIN, "
		     "cleared by ioctl its duplicate blocks, read EAGAIN, recv EAGAIN, "
		     "read a pipe EAGAIN, MSG_DONTWAIT EAGAIN, the other end blocks");
}

/* ---- what the hub made ---- */

static void *
use_hubs(void *argument)
{
	int ends[2], flags;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	hub_adopt(ends[0]);
	note_blocking("adopted it", ends[0]);
	loopback_limit(ends[0], SO_RCVTIMEO, 3000);
	trace_call("read for 3 ms", read(ends[0], &byte, 1));
	flags = fcntl(ends[0], F_GETFL);
	fcntl(ends[0], F_SETFL, flags | O_NONBLOCK);
	note_blocking("set it", ends[0]);
	trace_call("read", read(ends[0], &byte, 1));
	fcntl(ends[0], F_SETFL, flags);
	note_blocking("cleared it", ends[0]);
	/* The hub itself still does not block. */
	write(ends[1], "x", 1);
	trace_call("hub_read", hub_read(ends[0], &byte, 1));
	trace_call("hub_recv", hub_recv(ends[0], &byte, 1, MSG_DONTWAIT));
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(descriptor, what_the_hub_made_is_blocking_until_the_application_says_otherwise)
{
	hub_patch_all();
	in_hub(use_hubs, NULL);
	EXPECT_TRACE("adopted it blocks, read for 3 ms EAGAIN, set it does not block, read EAGAIN, "
		     "cleared it blocks, hub_read 1, hub_recv EAGAIN");
}

/* ---- programs ---- */

extern char **environ;

/* A program that tells by its exit code whether its descriptor blocks. */
static void *
start_program(void *argument)
{
	int listener = loopback_listen();
	struct hub_coroutine *acceptor = hub_spawn(loopback_accept_one, &listener);
	char command[200];
	char *arguments[] = {"sh", "-c", command, NULL};
	pid_t pid;

	until_it_waits(acceptor);
	/* Its flags in octal; 04000 is O_NONBLOCK. */
	snprintf(command, sizeof command,
		"f=$(sed -n 's/^flags:.//p' /proc/self/fdinfo/%d); test $((0$f & 04000)) -eq 0",
		listener);
	posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ);
	/* There it goes on before the child has become another program: vfork(2) is fork(2) to
	 * valgrind. */
	if (on_valgrind()) {
		waitpid(pid, NULL, 0);
		trace_say("spawned 0");
	} else {
		note_child("spawned", pid);
	}
	pid = fork();
	if (pid == 0) {
		execv("/bin/sh", arguments);
		_exit(9);
	}
	note_child("executed", pid);
	/* The acceptor goes on, and does not block the thread: this timer is proof. */
	hub_sleep(2 * HUB_MILLISECOND);
	close(loopback_connect(listener));
	trace_call("join", hub_join(acceptor, NULL));
	close(listener);
	return argument;
}

Test(descriptor, a_program_inherits_what_the_application_set)
{
	hub_patch_all();
	in_hub(start_program, NULL);
	EXPECT_TRACE("spawned 0, executed 0, join 0");
}

/* ---- threads that share a listening socket ---- */

static struct {
	int client, error;
} accepted;

static void *
accept_in_thread(void *argument)
{
	accepted.client = accept(*(int *)argument, NULL, NULL);
	accepted.error = errno;
	close(accepted.client);
	return NULL;
}

static void *
share_listener(void *argument)
{
	int listener = loopback_listen();
	struct hub_coroutine *acceptor = hub_spawn(loopback_accept_one, &listener);
	pthread_t thread;

	until_it_waits(acceptor);
	/* The kernel's flag is set now; the thread must not see it. */
	pthread_create(&thread, NULL, accept_in_thread, &listener);
	usleep(5000);
	for (int i = 0; i < 3; i++)
		close(loopback_connect(listener));
	pthread_join(thread, NULL);
	hub_kill(acceptor);
	hub_join(acceptor, NULL);
	close(listener);
	return argument;
}

Test(descriptor, a_thread_without_a_hub_may_accept_from_the_same_socket)
{
	hub_patch_all();
	in_hub(share_listener, NULL);
	cr_expect_geq(accepted.client, 0, "%d", accepted.error);
}

/* ---- record locks, and children of vfork ---- */

static void *
keep_lock(void *argument)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[] = "/tmp/hubbub-lock-XXXXXX";
	int file = mkstemp(path);
	pid_t child;

	unlink(path);
	trace_call("lock", fcntl(file, F_SETLK, &lock));
	trace_call("pwrite", pwrite(file, "x", 1, 0));
	trace_call("write", write(file, "y", 1));
	child = fork();
	if (child == 0)
		_exit(fcntl(file, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK ? 0 : 1);
	note_child("another process sees it", child);
	close(file);
	return argument;
}

Test(descriptor, writing_keeps_the_process_locks)
{
	hub_patch_all();
	in_hub(keep_lock, NULL);
	EXPECT_TRACE("lock 0, pwrite 1, write 1, another process sees it 0");
}

static void *
read_one(void *argument)
{
	char byte;

	trace_call("read", read(*(int *)argument, &byte, 1));
	return NULL;
}

static void *
close_in_child(void *argument)
{
	int ends[2];
	struct hub_coroutine *reader;
	pid_t child;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	reader = hub_spawn(read_one, &ends[0]);
	until_it_waits(reader);
	child = vfork();
	if (child == 0) {
		close(ends[0]);
		close_range(3, ~0U, 0);
		_exit(0);
	}
	note_child("child", child);
	write(ends[1], "x", 1);
	hub_join(reader, NULL);
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(descriptor, what_a_child_of_vfork_closes_stays_open_here)
{
	hub_patch_all();
	in_hub(close_in_child, NULL);
	EXPECT_TRACE("child 0, read 1");
}
