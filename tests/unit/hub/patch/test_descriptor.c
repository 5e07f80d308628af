/* The application believes what it set. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

#define MOST 40

static long results[MOST];
static int errors[MOST];

#define NOTE(index, expression)                                                                    \
	do {                                                                                       \
		errno = 0;                                                                         \
		results[index] = (long)(expression);                                               \
		errors[index] = errno;                                                             \
	} while (0)

static bool
is_nonblocking(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static int
listen_somewhere(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	bind(fd, (struct sockaddr *)&address, sizeof address);
	listen(fd, 16);
	return fd;
}

static int
connect_to(int listener)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &size);
	if (connect(fd, (struct sockaddr *)&address, size) == 0)
		return fd;
	close(fd);
	return -1;
}

static void *
accept_one(void *argument)
{
	close(accept(*(int *)argument, NULL, NULL));
	return NULL;
}

static void
set_timeout(int fd, int option, long microseconds)
{
	struct timeval time = {0, microseconds};

	setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}

/* Whatever a call does, the flag stays the application's. */
static void *
keep_flags(void *argument)
{
	int ends[2], pipes[2], listener = listen_somewhere(), copy, client, on = 1;
	struct hub_coroutine *acceptor = hub_spawn(accept_one, &listener);
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	pipe(pipes);
	set_timeout(ends[0], SO_RCVTIMEO, 3000);
	NOTE(0, read(ends[0], &byte, 1));
	NOTE(1, is_nonblocking(ends[0]));
	/* A coroutine waits in accept: the kernel's flag is ours. */
	until_it_waits(acceptor);
	NOTE(2, is_nonblocking(listener));
	copy = dup(listener);
	NOTE(3, is_nonblocking(copy));
	client = connect_to(listener);
	NOTE(4, client >= 0 && !is_nonblocking(client));
	hub_join(acceptor, NULL);
	/* The application's own word, by the one number, is seen by the other. */
	fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK);
	NOTE(5, is_nonblocking(listener));
	NOTE(6, accept(listener, NULL, NULL));
	on = 0;
	ioctl(listener, FIONBIO, &on);
	NOTE(7, is_nonblocking(copy));
	close(client);
	close(copy);
	/* Non-blocking is told at once. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	NOTE(8, read(ends[0], &byte, 1));
	NOTE(9, recv(ends[0], &byte, 1, 0));
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	NOTE(10, read(pipes[0], &byte, 1));
	fcntl(ends[0], F_SETFL, 0);
	NOTE(11, recv(ends[0], &byte, 1, MSG_DONTWAIT));
	NOTE(12, is_nonblocking(pipes[1]));
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
	cr_expect(results[0] == -1 && errors[0] == EAGAIN, "a receive timeout");
	cr_expect_eq(results[1], 0);
	cr_expect_eq(results[2], 0, "a listening socket");
	cr_expect_eq(results[3], 0, "and its duplicate");
	cr_expect_eq(results[4], 1, "a connected one");
	cr_expect_eq(results[5], 1, "set by a duplicate");
	cr_expect(results[6] == -1 && errors[6] == EAGAIN, "%ld %d", results[6], errors[6]);
	cr_expect_eq(results[7], 0, "cleared by ioctl");
	for (int i = 8; i <= 11; i++)
		cr_expect(results[i] == -1 && errors[i] == EAGAIN, "%d: %ld %d", i, results[i],
			errors[i]);
	cr_expect_eq(results[12], 0, "the other end of a pipe");
}

/* ---- timeouts of sockets ---- */

static int64_t
time_of_read(int fd)
{
	int64_t began = hub_now();
	char byte;

	NOTE(20, recv(fd, &byte, 1, 0));
	return hub_now() - began;
}

static void *
time_out(void *argument)
{
	int64_t *took = argument;
	int ends[2], listener = listen_somewhere();
	static char buffer[1 << 16];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	set_timeout(ends[0], SO_RCVTIMEO, 50000);
	*took = time_of_read(ends[0]);
	set_timeout(ends[0], SO_SNDTIMEO, 20000);
	for (int i = 0; i < 100 && (i == 0 || results[21] > 0); i++)
		NOTE(21, write(ends[0], buffer, sizeof buffer));
	set_timeout(listener, SO_RCVTIMEO, 20000);
	NOTE(22, accept(listener, NULL, NULL));
	close(ends[0]);
	close(ends[1]);
	close(listener);
	return NULL;
}

Test(descriptor, timeouts_of_sockets_hold)
{
	int64_t took = 0;

	hub_patch_all();
	in_hub(time_out, &took);
	cr_expect(results[20] == -1 && errors[20] == EAGAIN, "%ld %d", results[20], errors[20]);
	cr_expect_geq(took, 50 * HUB_MILLISECOND);
	cr_expect_lt(took, 5 * HUB_SECOND);
	cr_expect(results[21] == -1 && errors[21] == EAGAIN, "%ld %d", results[21], errors[21]);
	cr_expect(results[22] == -1 && errors[22] == EAGAIN, "%ld %d", results[22], errors[22]);
}

static int pair[2];

static void *
write_late(void *argument)
{
	for (int i = 0; i < 2; i++) {
		hub_sleep(20 * HUB_MILLISECOND);
		write(pair[1], "x", 1);
	}
	return argument;
}

/* Times that are no number of nanoseconds. */

static long
select_for_ages(void)
{
	struct timeval ages = {0, INT64_MAX / 500 + 1};
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(pair[0], &reads);
	return select(pair[0] + 1, &reads, NULL, NULL, &ages);
}

static long
receive_two_for_ages(void)
{
	struct timespec ages = {INT64_MAX, 0};
	char bytes[2];
	struct iovec parts[] = {{bytes, 1}, {bytes + 1, 1}};
	struct mmsghdr messages[] = {
		{.msg_hdr = {.msg_iov = &parts[0], .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &parts[1], .msg_iovlen = 1}},
	};

	return recvmmsg(pair[0], messages, 2, 0, &ages);
}

static long
receive_for_ages(void)
{
	struct timeval ages = {INT64_MAX / HUB_SECOND + 1, 0};
	char byte;

	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &ages, sizeof ages);
	return recv(pair[0], &byte, 1, 0);
}

static void *
wait_for_ages(void *argument)
{
	long (*const calls[])(void) = {select_for_ages, receive_two_for_ages, receive_for_ages};
	struct hub_coroutine *writer;

	for (int i = 0; i < 3; i++) {
		socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
		writer = hub_spawn(write_late, NULL);
		NOTE(23 + i, calls[i]());
		hub_join(writer, NULL);
		close(pair[0]);
		close(pair[1]);
	}
	return argument;
}

Test(descriptor, timeouts_may_be_as_long_as_can_be_said)
{
	hub_patch_all();
	in_hub(wait_for_ages, NULL);
	cr_expect_eq(results[23], 1, "select: %ld %d", results[23], errors[23]);
	cr_expect_eq(results[24], 2, "recvmmsg: %ld %d", results[24], errors[24]);
	cr_expect_eq(results[25], 1, "SO_RCVTIMEO: %ld %d", results[25], errors[25]);
}

/* ---- what the hub made ---- */

static void *
use_hubs(void *argument)
{
	int ends[2], flags;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	hub_adopt(ends[0]);
	NOTE(0, is_nonblocking(ends[0]));
	set_timeout(ends[0], SO_RCVTIMEO, 3000);
	NOTE(1, read(ends[0], &byte, 1));
	flags = fcntl(ends[0], F_GETFL);
	fcntl(ends[0], F_SETFL, flags | O_NONBLOCK);
	NOTE(2, is_nonblocking(ends[0]));
	NOTE(3, read(ends[0], &byte, 1));
	fcntl(ends[0], F_SETFL, flags);
	NOTE(4, is_nonblocking(ends[0]));
	/* The hub itself still does not block. */
	write(ends[1], "x", 1);
	NOTE(5, hub_read(ends[0], &byte, 1));
	NOTE(6, hub_recv(ends[0], &byte, 1, MSG_DONTWAIT));
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(descriptor, what_the_hub_made_is_blocking_until_the_application_says_otherwise)
{
	hub_patch_all();
	in_hub(use_hubs, NULL);
	cr_expect_eq(results[0], 0);
	cr_expect(results[1] == -1 && errors[1] == EAGAIN);
	cr_expect_eq(results[2], 1);
	cr_expect(results[3] == -1 && errors[3] == EAGAIN);
	cr_expect_eq(results[4], 0);
	cr_expect_eq(results[5], 1);
	cr_expect(results[6] == -1 && errors[6] == EAGAIN);
}

/* ---- programs ---- */

extern char **environ;

/* A program that tells by its exit code whether its descriptor blocks. */
static void *
start_program(void *argument)
{
	int listener = listen_somewhere(), status = 0;
	struct hub_coroutine *acceptor = hub_spawn(accept_one, &listener);
	char command[200];
	char *arguments[] = {"sh", "-c", command, NULL};
	pid_t pid;

	until_it_waits(acceptor);
	/* Its flags in octal; 04000 is O_NONBLOCK. */
	snprintf(command, sizeof command,
		"f=$(sed -n 's/^flags:.//p' /proc/self/fdinfo/%d); test $((0$f & 04000)) -eq 0",
		listener);
	posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ);
	NOTE(0, waitpid(pid, &status, 0) == pid ? status : -1);
	pid = fork();
	if (pid == 0) {
		execv("/bin/sh", arguments);
		_exit(9);
	}
	NOTE(1, waitpid(pid, &status, 0) == pid ? status : -1);
	/* The acceptor goes on, and does not block the thread: this timer is proof. */
	hub_sleep(2 * HUB_MILLISECOND);
	close(connect_to(listener));
	NOTE(2, hub_join(acceptor, NULL));
	close(listener);
	return argument;
}

Test(descriptor, a_program_inherits_what_the_application_set)
{
	hub_patch_all();
	in_hub(start_program, NULL);
	/* There it goes on before the child has become another program: vfork(2) is fork(2) to
	 * valgrind. */
	if (!on_valgrind())
		cr_expect_eq(results[0], 0, "by posix_spawn");
	cr_expect_eq(results[1], 0, "by fork and exec");
	cr_expect_eq(results[2], 0);
}

/* ---- threads that share a listening socket ---- */

static void *
accept_in_thread(void *argument)
{
	int fd = accept(*(int *)argument, NULL, NULL);

	NOTE(5, fd);
	close(fd);
	return NULL;
}

static void *
share_listener(void *argument)
{
	int listener = listen_somewhere();
	struct hub_coroutine *acceptor = hub_spawn(accept_one, &listener);
	pthread_t thread;

	until_it_waits(acceptor);
	/* The kernel's flag is set now; the thread must not see it. */
	pthread_create(&thread, NULL, accept_in_thread, &listener);
	usleep(5000);
	close(connect_to(listener));
	close(connect_to(listener));
	close(connect_to(listener));
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
	cr_expect_geq(results[5], 0, "%d", errors[5]);
}

/* ---- numbers that come again ---- */

static void *
reuse_numbers(void *argument)
{
	int right = 0;

	for (int i = 0; i < 200; i++) {
		int ends[2], other[2];
		char byte = 0;

		socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
		set_timeout(ends[0], SO_RCVTIMEO, 1000);
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

Test(descriptor, numbers_may_come_again_however_they_were_closed)
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
	int ends[2], high;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	high = fcntl(ends[0], F_DUPFD, *(int *)argument);
	NOTE(0, high >= *(int *)argument);
	write(ends[1], "x", 1);
	NOTE(1, read(high, &byte, 1));
	close(ends[1]);
	NOTE(2, read(high, &byte, 1));
	NOTE(3, close(high));
	NOTE(4, read(high, &byte, 1));
	NOTE(5, read(-1, &byte, 1));
	NOTE(6, fcntl(1 << 30, F_GETFL));
	NOTE(7, close(1 << 30));
	NOTE(8, accept(1 << 30, NULL, NULL));
	close(ends[0]);
	return NULL;
}

Test(descriptor, high_numbers_and_impossible_ones)
{
	struct rlimit limit;
	int first;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	first = (int)limit.rlim_cur - 10;
	hub_patch_all();
	in_hub(go_above, &first);
	cr_expect_eq(results[0], 1);
	cr_expect_eq(results[1], 1);
	cr_expect_eq(results[2], 0);
	cr_expect_eq(results[3], 0);
	for (int i = 4; i <= 8; i++)
		cr_expect(results[i] == -1 && errors[i] == EBADF, "%d: %ld %d", i, results[i],
			errors[i]);
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
	NOTE(39, write(((int *)argument)[1], "x", 1));
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

Test(descriptor, a_thread_may_close_what_nobody_waits_for)
{
	int right = 0;

	hub_patch_all();
	in_hub(lose_to_thread, &right);
	cr_assert_eq(right, 20);
}

/* ---- connecting twice ---- */

static void *
connect_twice(void *argument)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int listener = listen_somewhere(), fd = socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &size);
	NOTE(0, connect(fd, (struct sockaddr *)&address, size));
	NOTE(1, connect(fd, (struct sockaddr *)&address, size));
	close(fd);
	close(listener);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	NOTE(2, connect(fd, (struct sockaddr *)&address, size));
	NOTE(3, connect(fd, (struct sockaddr *)&address, size));
	NOTE(4, is_nonblocking(fd));
	close(fd);
	return argument;
}

Test(descriptor, connecting_twice_tells_the_same_as_without_patching)
{
	hub_patch_all();
	in_hub(connect_twice, NULL);
	cr_expect_eq(results[0], 0);
	cr_expect(results[1] == -1 && errors[1] == EISCONN, "%ld %d", results[1], errors[1]);
	cr_expect(results[2] == -1 && errors[2] == ECONNREFUSED);
	cr_expect(results[3] == -1 && errors[3] == ECONNREFUSED, "%ld %d", results[3], errors[3]);
	cr_expect_eq(results[4], 0);
}

/* ---- record locks, and children of vfork ---- */

static void *
keep_lock(void *argument)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[] = "/tmp/hubbub-lock-XXXXXX";
	int file = mkstemp(path), status = 0;
	pid_t child;

	unlink(path);
	NOTE(0, fcntl(file, F_SETLK, &lock));
	NOTE(1, pwrite(file, "x", 1, 0));
	NOTE(2, write(file, "y", 1));
	child = fork();
	if (child == 0)
		_exit(fcntl(file, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK ? 0 : 1);
	NOTE(3, waitpid(child, &status, 0) == child ? status : -1);
	close(file);
	return argument;
}

Test(descriptor, writing_keeps_the_process_locks)
{
	hub_patch_all();
	in_hub(keep_lock, NULL);
	cr_expect_eq(results[0], 0);
	cr_expect_eq(results[1], 1);
	cr_expect_eq(results[2], 1);
	cr_expect_eq(results[3], 0, "another process sees it");
}

static void *
read_one(void *argument)
{
	char byte;

	NOTE(0, read(*(int *)argument, &byte, 1));
	return NULL;
}

static void *
close_in_child(void *argument)
{
	int ends[2], status = 0;
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
	NOTE(1, waitpid(child, &status, 0) == child ? status : -1);
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
	cr_expect_eq(results[0], 1, "%ld %d", results[0], errors[0]);
	cr_expect_eq(results[1], 0);
}

/* ---- what no poll can wait for ---- */

static void *
fill_datagrams(void *argument)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timespec before, after;
	int receiver = socket(AF_UNIX, SOCK_DGRAM, 0), sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	char byte;

	snprintf(
		address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-datagrams-%d", getpid());
	bind(receiver, (struct sockaddr *)&address, sizeof address);
	set_timeout(sender, SO_SNDTIMEO, 300000);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	for (int i = 0; i < 1000 && (i == 0 || results[0] == 1); i++)
		NOTE(0, sendto(sender, "x", 1, 0, (struct sockaddr *)&address, sizeof address));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	NOTE(1, (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000);
	NOTE(2, recv(receiver, &byte, 1, 0));
	NOTE(3, sendto(sender, "x", 1, 0, (struct sockaddr *)&address, sizeof address));
	NOTE(4, recv(sender, &byte, 1, MSG_ERRQUEUE));
	close(receiver);
	close(sender);
	return argument;
}

Test(descriptor, a_full_receiver_of_datagrams_is_waited_for_without_spinning)
{
	hub_patch_all();
	in_hub(fill_datagrams, NULL);
	cr_expect(results[0] == -1 && errors[0] == EAGAIN, "%ld %d", results[0], errors[0]);
	cr_expect_lt(results[1], 200, "%ld ms of CPU in 300", results[1]);
	cr_expect_eq(results[2], 1);
	cr_expect_eq(results[3], 1);
	cr_expect(results[4] == -1 && errors[4] == EAGAIN, "for errors the kernel never waits");
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

	sigaction(SIGUSR1, &action, NULL);
	usleep(1000);
	close_everything(how);
	for (int i = 0; i < 40; i += 2)
		pipe(&others[i]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	hub_spawn_later(HUB_MILLISECOND, write_one, &ends[1]);
	NOTE(0, read(ends[0], &(char){0}, 1));
	NOTE(1, others[0]);
	hub_spawn_later(HUB_MILLISECOND, raise_one, NULL);
	NOTE(2, read(ends[0], &(char){0}, 1));
	return argument;
}

Test(descriptor, the_hubs_own_are_closed_by_nobody)
{
	hub_patch_all();
	for (enum closing how = 0; how < CLOSINGS; how++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0) {
			hub_run(close_and_open, &how, NULL);
			_exit(results[0] != 1                            ? 1
				: results[1] != 3                        ? 2
				: results[2] == -1 && errors[2] == EINTR ? 0
									 : 3);
		}
		waitpid(child, &status, 0);
		cr_expect_eq(status, 0, "%d: %x", how, status);
	}
}
