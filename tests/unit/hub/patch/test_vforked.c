/* Children of vfork, whose memory is their parent's, and what they leave in it: nothing. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

/* ---- calls in which a child of vfork is killed ---- */

/* An empty pair, a file with a lock, a listener, and nothing to be had of System V's. */
static int empty[2], locked, listener, messages, semaphores;
static volatile pid_t killed;

static void
wait_read(void)
{
	char byte;

	read(empty[0], &byte, 1);
}

static void
wait_flock(void)
{
	flock(locked, LOCK_EX);
}

static void
wait_fcntl(void)
{
	struct flock all = {.l_type = F_WRLCK};

	fcntl(locked, F_OFD_SETLKW, &all);
}

static void
wait_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} message;

	msgrcv(messages, &message, sizeof message.text, 0, 0);
}

static void
wait_semop(void)
{
	struct sembuf take = {0, -1, 0};

	semop(semaphores, &take, 1);
}

static void
wait_accept(void)
{
	accept(listener, NULL, NULL);
}

static void
wait_poll(void)
{
	poll(&(struct pollfd){empty[0], POLLIN, 0}, 1, -1);
}

static void
wait_sleep(void)
{
	sleep(60);
}

static void (*const killed_in[])(void) = {wait_read, wait_flock, wait_fcntl, wait_msgrcv,
	wait_semop, wait_accept, wait_poll, wait_sleep};
#define KILLED_IN (sizeof killed_in / sizeof killed_in[0])

static int
listen_somewhere(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	bind(fd, (struct sockaddr *)&address, sizeof address);
	listen(fd, 9);
	return fd;
}

static void
connect_to_listener(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &size);
	connect(fd, (struct sockaddr *)&address, size);
}

static void
make_what_is_waited_for(void)
{
	struct flock all = {.l_type = F_WRLCK};
	char path[] = "/tmp/hubbub-children-XXXXXX";
	int holder = mkstemp(path);

	locked = open(path, O_RDWR);
	unlink(path);
	flock(holder, LOCK_EX);
	fcntl(holder, F_OFD_SETLK, &all);
	socketpair(AF_UNIX, SOCK_STREAM, 0, empty);
	listener = listen_somewhere();
	messages = msgget(IPC_PRIVATE, 0600);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
}

static void *
kill_soon(void *argument)
{
	while (killed == 0)
		usleep(1000);
	usleep(20000);
	kill(killed, SIGKILL);
	return argument;
}

/* A child of fork that others share the listener with, and one of vfork that is killed. */
static void
kill_child_in(void (*wait)(void))
{
	pthread_t killer;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	pthread_create(&killer, NULL, kill_soon, NULL);
	child = vfork();
	if (child == 0) {
		killed = getpid();
		wait();
		_exit(0);
	}
	pthread_join(killer, NULL);
	waitpid(child, NULL, 0);
}

static void
handle(int number)
{
	(void)number;
}

static void *
wait_through(void *error)
{
	wait_read();
	*(int *)error = errno;
	return NULL;
}

/* Whether a signal still ends a wait, and connections are still accepted. */
static void *
lose_child(void *wait)
{
	int error = 0;
	struct sigaction action = {.sa_handler = handle};
	struct hub_coroutine *reader;

	make_what_is_waited_for();
	sigaction(SIGUSR1, &action, NULL);
	kill_child_in(*(void (*const *)(void))wait);
	reader = hub_spawn(wait_through, &error);
	until_it_waits(reader);
	raise(SIGUSR1);
	hub_join(reader, NULL);
	connect_to_listener();
	msgctl(messages, IPC_RMID, NULL);
	semctl(semaphores, 0, IPC_RMID);
	_exit(error != EINTR ? 1 : accept(listener, NULL, NULL) == -1 ? 2 : 0);
}

TestSuite(vforked, .timeout = 60);

Test(vforked, one_of_vfork_that_is_killed_in_a_call_leaves_nothing_behind)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	hub_patch_all();
	for (size_t i = 0; i < KILLED_IN; i++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0) {
			void *wait = (void *)(uintptr_t)&killed_in[i];

			alarm(50);
			hub_run(lose_child, wait, NULL);
			_exit(3);
		}
		waitpid(child, &status, 0);
		cr_expect_eq(status, 0, "%zu: %x", i, status);
	}
}

/* ---- a connection that a child of vfork accepts ---- */

static void *
accept_in_child(void *argument)
{
	struct itimerspec long_time = {.it_value.tv_sec = 1000}, left;
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	timer_t timer;
	pid_t child;

	listener = listen_somewhere();
	child = fork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	connect_to_listener();
	child = vfork();
	if (child == 0) {
		accept(listener, NULL, NULL);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	/* The first of this process, if it has none of its own. */
	timer_create(CLOCK_MONOTONIC, &none, &timer);
	timer_settime(timer, 0, &long_time, NULL);
	connect_to_listener();
	accept(listener, NULL, NULL);
	timer_gettime(timer, &left);
	_exit(left.it_value.tv_sec > 500 ? 0 : 1);
	return argument;
}

Test(vforked, accepting_in_one_of_vfork_takes_no_timer_of_its_parent)
{
	int status = -1;
	pid_t child;

	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	hub_patch_all();
	child = fork();
	if (child == 0) {
		alarm(50);
		hub_run(accept_in_child, NULL, NULL);
		_exit(3);
	}
	waitpid(child, &status, 0);
	cr_expect_eq(status, 0, "%x", status);
}

/* ---- a handler in which a child of vfork ends ---- */

static void
end_child(int number)
{
	(void)number;
	_exit(0);
}

static void *
write_one(void *fd)
{
	write(*(int *)fd, "x", 1);
	return NULL;
}

/* Its frame is below where the handler's was. */
static __attribute__((noinline)) ssize_t
read_below(int fd)
{
	volatile char room[1 << 14];
	char byte;

	room[0] = 0;
	return read(fd, &byte, 1) + room[0];
}

static void *
end_in_handler(void *argument)
{
	struct hub_coroutine *writer;
	pid_t child;

	signal(SIGUSR1, end_child);
	socketpair(AF_UNIX, SOCK_STREAM, 0, empty);
	child = vfork();
	if (child == 0) {
		raise(SIGUSR1);
		_exit(1);
	}
	writer = hub_spawn(write_one, &empty[1]);
	*(ssize_t *)argument = read_below(empty[0]);
	hub_join(writer, NULL);
	waitpid(child, NULL, 0);
	close(empty[0]);
	close(empty[1]);
	return NULL;
}

Test(vforked, a_handler_that_one_ends_in_is_not_its_parents)
{
	ssize_t got = 0;

	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	hub_patch_all();
	alarm(50);
	in_hub(end_in_handler, &got);
	alarm(0);
	cr_expect_eq(got, 1);
}
