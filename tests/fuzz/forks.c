/* Children of all kinds (fork, vfork and the like), which make random calls themselves, and signals
 * that arrive while a call waits. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/calls.h"
#include "tests/fuzz/helper.h"

/* ---- signals ---- */

enum { SOON = 3000 }; /* microseconds */

static volatile sig_atomic_t handled;

static void
handle(int number)
{
	(void)number;
	handled++;
}

/* Later than any program ends. */
static const struct timespec ages = {60, 0};

static struct timespec
end_of_ages(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ages.tv_sec;
	return end;
}

static void
wait_by_socket(unsigned how, int fd)
{
	struct pollfd query = {fd, POLLIN, 0};
	struct epoll_event event;
	char byte;
	int set;

	switch (how) {
	case 0:
		CALL(read(fd, &byte, 1));
		break;
	case 1:
		CALL(recv(fd, &byte, 1, MSG_WAITALL));
		break;
	case 2:
		CALL(poll(&query, 1, 60000));
		break;
	case 3:
		CALL(ppoll(&query, 1, NULL, NULL));
		break;
	default:
		set = epoll_create1(0);
		CALL(epoll_wait(set, &event, 1, 60000));
		close(set);
	}
}

static void
wait_by_system_v(bool is_message)
{
	struct {
		long type;
		char text[8];
	} message;
	struct sembuf take = {0, -1, 0};
	int id = is_message ? msgget(IPC_PRIVATE, 0600) : semget(IPC_PRIVATE, 1, 0600);

	if (is_message) {
		CALL(msgrcv(id, &message, sizeof message.text, 0, 0));
		msgctl(id, IPC_RMID, NULL);
	} else {
		CALL(semop(id, &take, 1));
		semctl(id, 0, IPC_RMID);
	}
}

static void
wait_by_lock(void)
{
	int holder = open("/tmp", O_TMPFILE | O_RDWR, 0600), fd;
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", holder);
	fd = open(path, O_RDWR);
	flock(holder, LOCK_EX);
	CALL(flock(fd, LOCK_EX));
	close(holder);
	close(fd);
}

static void
wait_by_time(unsigned how)
{
	struct timespec end = end_of_ages();
	sem_t none;

	if (how == 0) {
		CALL(nanosleep(&ages, NULL));
	} else if (how == 1) {
		CALL(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, NULL));
	} else {
		sem_init(&none, 0, 0);
		CALL(sem_timedwait(&none, &end));
		sem_destroy(&none);
	}
}

static void
wait_for_nothing(void)
{
	int ends[2];

	switch (below(4)) {
	case 0:
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
			abort();
		wait_by_socket(below(5), ends[0]);
		close(ends[0]);
		close(ends[1]);
		break;
	case 1:
		wait_by_system_v(below(2));
		break;
	case 2:
		wait_by_lock();
		break;
	default:
		wait_by_time(below(3));
	}
}

/* Sends the signal again and again, because the first may come before the call has begun. */
void
calls_interrupt(void)
{
	struct sigaction action = {.sa_handler = handle}, before;
	struct itimerval times = {{0, SOON}, {0, SOON}}, none = {{0, 0}, {0, 0}};

	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, &before);
	handled = 0;
	setitimer(ITIMER_REAL, &times, NULL);
	wait_for_nothing();
	setitimer(ITIMER_REAL, &none, NULL);
	printf("  %s\n", handled > 0 ? "handled" : "not handled");
	sigaction(SIGALRM, &before, NULL);
}

/* ---- children ---- */

/* vfork's children do not take the last step: a handler that such a child has installed ends no
 * wait. */
static void (*const steps[])(void) = {calls_receive, calls_receive, calls_poll, calls_select,
	calls_epoll, calls_sleep, calls_accept, calls_connect, calls_child, calls_wrong,
	calls_interrupt};
#define STEPS (sizeof steps / sizeof steps[0])

/* A child may close the file descriptors that it shares with its parent. */
static void
be_child(bool is_vforked)
{
	unsigned count = below(4), code = below(100);

	helper_stays_behind();
	if (below(4) == 0)
		CALL(close_range(3, ~0U, 0));
	for (unsigned i = 0; i < count; i++)
		steps[below(STEPS - is_vforked)]();
	fflush(stdout);
	if (below(8) == 0)
		kill(getpid(), SIGKILL);
	if (below(4) == 0)
		execl("/bin/sh", "sh", "-c", "exit 9", (char *)NULL);
	_exit((int)code);
}

void
calls_fork(void)
{
	static const char *const kinds[] = {"fork", "vfork", "_Fork", "clone(2)"};
	unsigned kind = below(4);
	int status = 0;
	pid_t child;

	printf("  %s\n", kinds[kind]);
	fflush(stdout);
	child = kind == 0   ? fork()
		: kind == 1 ? vfork()
		: kind == 2 ? _Fork()
			    : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		be_child(kind == 1);
	helper_comes_back();
	CALL(waitpid(child, &status, 0) == child ? 0 : -1);
	printf("  status %x\n", (unsigned)status);
}
