/* Making sockets, accepting, connecting, and shutting down a direction. Every fd that is made here
 * enters the hub at once, non-blocking and close-on-exec, or is closed again. */
#include "hub/io/socket.h"

#include <errno.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"
#include "hub/io/identity_priv.h"
#include "hub/io/layer_priv.h"
#include "hub/io/transfer_priv.h"
#include "hub/io/wait_priv.h"
#include "hub/scheduler_priv.h"

int
hub_socket(int domain, int type, int protocol)
{
	struct hub *hub = hub_this;
	int fd;

	if (hub == NULL || hub->loop == NULL)
		return failed(EPERM);
	fd = kernel_socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd == -1)
		return -1;
	if (fd_enter_new(hub, fd, (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM) ==
		NULL) {
		kernel_close(fd);
		return failed(ENOMEM);
	}
	return fd;
}

int
hub_accept(int fd, struct sockaddr *address, socklen_t *length)
{
	struct hub_fd *listener = transfer_begin(fd, 0), *entry;
	int client;

	if (listener == NULL)
		return -1;
	while ((client = fd_accept_now(fd, address, length)) == -1) {
		if (errno != EAGAIN || fd_wait_read(listener, "accept") != 0)
			return -1;
	}
	listener->exchange |= FD_CAME_SINCE;
	entry = fd_enter_new(hub_this, client, listener->is_stream);
	if (entry == NULL) {
		kernel_close(client);
		return failed(ENOMEM);
	}
	/* A client seldom sends before it is accepted: wait for its bytes instead of trying
	 * first. */
	entry->drained_for = entry->is_stream ? FD_ANYBODY : NULL;
	return client;
}

/* connect(2), repeated for Unix sockets: if the listener's backlog is full the call fails with
 * EAGAIN, and poll(2) cannot wait for room. */
static int
connect_retry(struct hub_fd *entry, const struct sockaddr *address, socklen_t length)
{
	int64_t pause = HUB_MILLISECOND;
	fd_generation generation = entry->generation;

	for (;;) {
		if (kernel_connect(entry->read.fd, address, length) == 0)
			return 0;
		if (errno != EAGAIN || address->sa_family != AF_UNIX)
			return -1;
		if (hub_sleep(pause) != 0)
			return -1;
		if (entry->generation != generation || !fd_is_same(hub_this, entry))
			return failed(EBADF);
		if (pause < 64 * HUB_MILLISECOND)
			pause *= 2;
	}
}

/* How connecting has ended: 0, or -1 with errno. */
static int
socket_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (kernel_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		return -1;
	return failed(error);
}

int
hub_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;
	bool has_begun = false;

	/* The fd enters the hub here; whatever the hub knew of it is forgotten. */
	if (self == NULL)
		return hub_fail_in_turn();
	if (hub_adopt(fd) != 0)
		return -1;
	entry = fd_lookup(self->hub, fd);
	DCHECK(entry->readers == NULL && entry->writers == NULL && entry->layer == NULL);
	if (!fd_take_turns(entry))
		return -1;
	/* A second connect(2) tells how the first has ended; or, if the wake was spurious, that
	 * connecting goes on: EALREADY. */
	while (connect_retry(entry, address, length) != 0) {
		if (has_begun && errno == EISCONN)
			return 0;
		if (errno != EINPROGRESS && errno != EINTR && !(has_begun && errno == EALREADY))
			return -1;
		has_begun = true;
		if (fd_wait_write(entry, "connect") != 0)
			return -1;
		if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
			return socket_error(fd);
	}
	return 0;
}

int
hub_shutdown(int fd, int how)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;

	if (self == NULL)
		return hub_fail_in_turn();
	entry = fd_lookup_watched(self->hub, fd);
	if (entry == NULL)
		return -1;
	if (fd_has_layer(entry) && how != SHUT_RD && layer_end_output(entry, "shutdown") != 0) {
		/* Whoever receives on a broken connection must not wait for ever. */
		if (errno == EPIPE) {
			kernel_shutdown(fd, how);
			errno = EPIPE;
		}
		return -1;
	}
	return kernel_shutdown(fd, how);
}
