/* Calls that wait for something other than bytes: time, connections, children, locks; and calls
 * with wrong arguments. */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/calls.h"
#include "tests/fuzz/helper.h"

enum { LATER = 4000 };

void
calls_sleep(void)
{
	static const struct timespec times[] = {
		{0, 0}, {0, 1}, {0, 2000000}, {0, 1000000000}, {0, -1}, {-1, 0}};
	struct timespec time = times[below(6)], left = {7, 7};

	switch (below(4)) {
	case 0:
		CALL(nanosleep(&time, &left));
		break;
	case 1:
		CALL(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL));
		break;
	case 2:
		CALL(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL));
		break;
	default:
		CALL(usleep(below(2000)));
	}
	printf("  %ld left\n", (long)left.tv_nsec);
}

/* ---- connections ---- */

static int
listen_somewhere(struct sockaddr_storage *address, socklen_t *length)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	bool is_unix = below(2);
	int listener = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);

	/* The kernel chooses an abstract name, or a port. */
	if (is_unix)
		bind(listener, (struct sockaddr *)&un, sizeof un.sun_family);
	else
		bind(listener, (struct sockaddr *)&in, sizeof in);
	*length = sizeof *address;
	listen(listener, 3);
	getsockname(listener, (struct sockaddr *)address, length);
	return listener;
}

void
calls_accept(void)
{
	struct sockaddr_storage address, peer;
	socklen_t length, peer_length = sizeof peer;
	int listener = listen_somewhere(&address, &length), fd;
	struct timeval time = {0, 3000};
	unsigned how = below(4);
	struct act act = {.kind = how < 2 ? ACT_CONNECT : ACT_NONE,
		.microseconds = how == 1 ? LATER : 0,
		.address = (struct sockaddr *)&address,
		.length = length};

	helper_begin(&act);
	if (how != 1)
		helper_wait();
	if (how == 2)
		setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
	if (how == 3)
		fcntl(listener, F_SETFL, O_NONBLOCK);
	errno = CALLS_UNTOUCHED;
	fd = below(2) ? accept(listener, (struct sockaddr *)&peer, &peer_length)
		      : accept4(listener, (struct sockaddr *)&peer, &peer_length, SOCK_NONBLOCK);
	calls_tell("accept", fd == -1 ? -1 : 0);
	if (fd != -1)
		printf("  family %d, flags %x, listener's %x\n", peer.ss_family,
			(unsigned)fcntl(fd, F_GETFL), (unsigned)fcntl(listener, F_GETFL));
	helper_wait();
	if (fd != -1)
		close(fd);
	close(listener);
}

void
calls_connect(void)
{
	struct sockaddr_storage address;
	socklen_t length;
	int listener = listen_somewhere(&address, &length);
	int fd = socket(address.ss_family, SOCK_STREAM, 0);

	if (below(2)) {
		close(listener);
		listener = -1;
	}
	CALL(connect(fd, (struct sockaddr *)&address, length));
	CALL(connect(fd, (struct sockaddr *)&address, length));
	printf("  flags %x\n", (unsigned)fcntl(fd, F_GETFL));
	close(fd);
	if (listener != -1)
		close(listener);
}

/* ---- children ---- */

void
calls_child(void)
{
	int status = 0, code = (int)below(7);
	bool is_late = below(2);
	siginfo_t info = {0};
	pid_t child;

	if (below(4) == 0) {
		CALL(waitpid(-1, &status, below(2) ? WNOHANG : 0));
		CALL(system("exit 3"));
		return;
	}
	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (is_late)
			usleep(LATER);
		_exit(code);
	}
	errno = CALLS_UNTOUCHED;
	switch (below(3)) {
	case 0:
		calls_tell("waitpid", waitpid(child, &status, 0) == child ? 0 : -1);
		break;
	case 1:
		calls_tell("wait", wait(&status) == child ? 0 : -1);
		break;
	default:
		calls_tell("waitid", waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
		printf("  %d %d\n", info.si_code, info.si_status);
		calls_tell("wait4", wait4(child, &status, 0, NULL) == child ? 0 : -1);
	}
	printf("  status %x\n", (unsigned)status);
	CALL(waitpid(child, &status, 0));
}

/* ---- locks ---- */

void
calls_lock(void)
{
	pthread_mutex_t mutex;
	pthread_mutexattr_t attributes;
	pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
	struct timespec soon;
	sem_t semaphore;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&mutex, &attributes);
	sem_init(&semaphore, 0, below(2));
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += below(3) * 1000000;
	soon.tv_sec += soon.tv_nsec / 1000000000 - (below(4) == 0);
	soon.tv_nsec %= 1000000000;
	if (below(5) == 0)
		soon.tv_nsec = 1000000000;
	CALL(pthread_mutex_lock(&mutex));
	CALL(pthread_mutex_lock(&mutex));
	CALL(pthread_mutex_trylock(&mutex));
	CALL(pthread_mutex_timedlock(&mutex, &soon));
	CALL(pthread_cond_timedwait(&condition, &mutex, &soon));
	CALL(pthread_mutex_unlock(&mutex));
	CALL(pthread_mutex_unlock(&mutex));
	CALL(sem_timedwait(&semaphore, &soon));
	CALL(pthread_rwlock_rdlock(&shared));
	CALL(pthread_rwlock_timedrdlock(&shared, &soon));
	CALL(pthread_rwlock_timedwrlock(&shared, &soon));
	pthread_rwlock_unlock(&shared);
	pthread_rwlock_unlock(&shared);
	CALL(sched_yield());
	sem_destroy(&semaphore);
	pthread_mutex_destroy(&mutex);
}

/* ---- what is wrong ---- */

void
calls_wrong(void)
{
	char byte[8] = "";
	struct iovec part = {byte, 1}, nowhere = {NULL, 4};
	volatile int too_many = 2000; /* volatile: compilers would warn of it */
	void *volatile bad = (void *)8;
	struct pollfd closed = {1000, POLLIN, 0};
	int pair[2], status;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		abort();
	CALL(read(1000, byte, 1));
	CALL(write(1000, byte, 1));
	CALL(recv(1000, byte, 1, 0));
	CALL(close(1000));
	CALL(write(pair[1], byte, 1));
	nowhere.iov_base = bad;
	CALL(readv(pair[0], &nowhere, 1));
	CALL(read(pair[0], bad, 1));
	CALL(readv(pair[0], &part, 0));
	CALL(readv(pair[0], &part, too_many));
	CALL(writev(pair[0], &nowhere, 1));
	CALL(recv(pair[0], byte, 0, 0));
	CALL(recv(pair[0], byte, 8, MSG_OOB));
	CALL(read(pair[0], byte, 8));
	CALL(poll(&closed, 1, -1));
	CALL(poll(NULL, 0, 1));
	CALL(accept(pair[0], NULL, NULL));
	CALL(pread(pair[0], byte, 1, 0));
	CALL(waitpid(1, &status, 0));
	CALL(waitpid(-1, &status, 0x70000000));
	shutdown(pair[0], SHUT_WR);
	CALL(write(pair[0], byte, 1));
	close(pair[0]);
	close(pair[1]);
}
