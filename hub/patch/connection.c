/* Connections: accept and connect. O_NONBLOCK of a listener is never changed, because other
 * processes may share its open file; O_NONBLOCK of a connecting socket is changed only for the
 * moment in which connecting begins. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/fork.h>
#include <hubbub/io/fd.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/patch/brief_priv.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/given_priv.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/report_priv.h"
#include "hub/patch/time_priv.h"

#define PAUSE_MAX (64 * HUB_MILLISECOND)
#define TURNS 64

/* Threads of this process accept from a listener one after the other, by the mutex that its fd
 * selects: a connection wakes the hubs of all of them, and only one may try. Threads that accept
 * outside of coroutines wait in the kernel, without the mutex; plain counts them. */
static struct turn {
	pthread_mutex_t mutex;
	unsigned plain;
} turns[TURNS];

/* At the start, and in a forked child, in which no thread accepts. */
static void
reset(void)
{
	for (int i = 0; i < TURNS; i++)
		pthread_mutex_init(&turns[i].mutex, NULL), turns[i].plain = 0;
}

static __attribute__((constructor)) void
start(void)
{
	reset();
	pthread_atfork(NULL, NULL, reset);
}

static bool
is_listening(int fd)
{
	int answer = 0;
	socklen_t length = sizeof answer;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &answer, &length) == 0 && answer;
}

/* Accepts without waiting. accept4(2) has no flag for that, and O_NONBLOCK is that of the open
 * file, so other processes that share it would get EAGAIN. So poll(2) tells whether to accept.
 * Where another process may be quicker then, the call is interrupted, which costs a third of an
 * accepted connection. Returns as accept4(2); -1 with errno EAGAIN where it would wait. */
static int
accept_now(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	struct turn *turn = &turns[(unsigned)fd % TURNS];
	struct pollfd query = {.fd = fd, .events = POLLIN};
	struct brief brief;
	bool is_alone;
	int client;

	REAL(pthread_mutex_lock)(&turn->mutex);
	is_alone = turn->plain == 0 && given_to_nobody(fd);
	/* The kernel reports an fd that does not listen, and invalid flags. */
	if (kernel_poll_now(&query, 1) == 0 && (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) == 0 &&
		is_listening(fd)) {
		client = -1;
		errno = EAGAIN;
	} else {
		if (!is_alone)
			brief_begin(&brief);
		client = kernel_accept4(fd, address, size, flags);
		if (!is_alone)
			brief_end(&brief);
		if (client == -1 && errno == EINTR)
			errno = EAGAIN;
	}
	REAL(pthread_mutex_unlock)(&turn->mutex);
	return client;
}

static int
accept_on_coroutine(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	struct patience patience = {.fd = fd, .events = POLLIN};
	int client, before = errno;

	/* O_NONBLOCK may be the hub's, not the application's. */
	while ((client = kernel_fcntl(fd, F_GETFL, 0) & O_NONBLOCK
				 ? kernel_accept4(fd, address, size, flags)
				 : accept_now(fd, address, size, flags)) == -1 &&
		errno == EAGAIN) {
		if (!patience_wait(&patience, 0)) {
			errno = errno == ESHUTDOWN ? EINVAL : errno;
			return -1;
		}
	}
	if (client != -1)
		errno = before;
	return client;
}

/* Accepts outside of coroutines, and may wait in the kernel. */
static int
accept_plainly(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	struct turn *turn = &turns[(unsigned)fd % TURNS];
	int client;

	/* No mutex in a signal handler, which may have interrupted a thread that holds it; nor in a
	 * child, which may be killed while it holds its parent's mutex, or have copied it from a
	 * thread that the child does not have. */
	if (interrupt_in_handler() || hub_is_inherited())
		return REAL(accept4)(fd, address, size, flags);
	REAL(pthread_mutex_lock)(&turn->mutex);
	turn->plain++;
	REAL(pthread_mutex_unlock)(&turn->mutex);
	client = REAL(accept4)(fd, address, size, flags);
	REAL(pthread_mutex_lock)(&turn->mutex);
	turn->plain--;
	REAL(pthread_mutex_unlock)(&turn->mutex);
	return client;
}

/* Outside of coroutines, too, a socket that the hub has made non-blocking is blocking to the
 * application: so this waits by poll(2). The hub's own calls, which come here where a sanitizer is
 * to see them, do not wait. */
static int
accept_by_thread(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	struct patience patience = {.fd = fd, .events = POLLIN};
	int client, before = errno;

	while ((client = accept_plainly(fd, address, size, flags)) == -1 && errno == EAGAIN &&
		!bypass_is_on() && descriptor_is_hidden(fd) && !descriptor_is_nonblocking(fd)) {
		struct pollfd query = {.fd = fd, .events = POLLIN};
		int64_t left = patience_left(&patience);
		struct timespec time = {left / HUB_SECOND, left % HUB_SECOND};
		int ready = REAL(ppoll)(&query, 1, left == HUB_FOREVER ? NULL : &time, NULL);

		if (ready == 0)
			errno = EAGAIN;
		if (ready <= 0)
			return -1;
	}
	if (client != -1)
		errno = before;
	return client;
}

int
patch_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	int64_t began = 0;
	int client;

	if (patch_suspends(HUB_PATCH_SOCKET) && !hub_is_vforked()) {
		client = accept_on_coroutine(fd, address, size, flags);
	} else {
		if (atomic_load(&patch_active) & PATCH_REPORTED)
			began = report_begin();
		client = accept_by_thread(fd, address, size, flags);
		if (began != 0)
			report_end(CALL_accept4, began);
	}
	/* On every path: whatever was known of this fd was another file's. */
	descriptor_new(client);
	return client;
}

int
patch_accept(int fd, struct sockaddr *address, socklen_t *size)
{
	return patch_accept4(fd, address, size, 0);
}

/* Begins to connect, and sets O_NONBLOCK for as long as that takes. */
static int
connect_now(int fd, const struct sockaddr *address, socklen_t size)
{
	int flags = kernel_fcntl(fd, F_GETFL, 0), result, error;

	if (flags == -1)
		return -1;
	if (!(flags & O_NONBLOCK))
		kernel_fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	result = kernel_connect(fd, address, size);
	error = errno;
	if (!(flags & O_NONBLOCK))
		kernel_fcntl(fd, F_SETFL, flags);
	errno = error;
	return result;
}

/* Begins to connect, again and again while it has to: a Unix socket answers EAGAIN if the
 * listener's backlog is full, and poll(2) cannot wait for room there. */
static int
connect_retry(struct patience *patience, const struct sockaddr *address, socklen_t size)
{
	uint32_t generation = generation_of(patience->fd);
	int64_t pause = HUB_MILLISECOND;
	int result;

	while ((result = connect_now(patience->fd, address, size)) == -1 && errno == EAGAIN &&
		address->sa_family == AF_UNIX) {
		int64_t left = patience_left(patience);

		if (left == 0)
			return failed(EAGAIN);
		if (left < pause)
			pause = left;
		if (patch_pause(pause, &patience->since) != 0)
			return -1;
		if (generation_of(patience->fd) != generation)
			return failed(EBADF);
		if (pause < PAUSE_MAX)
			pause *= 2;
	}
	return result;
}

/* How connecting has ended: 0, or -1 with errno. */
static int
socket_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		return -1;
	return failed(error);
}

int
patch_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct patience patience = {.fd = fd, .events = POLLOUT};

	if (descriptor_is_nonblocking(fd))
		return kernel_connect(fd, address, size);
	/* A second connect(2) tells how the first has ended, and puts a TCP socket into the state
	 * that goes with that, which reading SO_ERROR does not. EALREADY: an earlier call was
	 * interrupted, or connecting goes on. */
	while (connect_retry(&patience, address, size) != 0) {
		if (errno != EINPROGRESS && errno != EALREADY)
			return -1;
		if (!patience_wait(&patience, 0)) {
			/* The time is up: connect(2) with SO_SNDTIMEO fails so. */
			errno = errno == EAGAIN ? EINPROGRESS : errno;
			return -1;
		}
		if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
			return socket_error(fd);
	}
	return 0;
}
