#include "master/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/holder.h"

static void
set_flag(int fd, int level, int option)
{
	int on = 1;

	if (setsockopt(fd, level, option, &on, sizeof on) != 0)
		log_warning("cannot set socket option %d: %s", option, strerror(errno));
}

static size_t
position(const struct sockets *sockets, unsigned worker, unsigned hub, unsigned address)
{
	return ((size_t)worker * sockets->hubs + hub) * sockets->address_count + address;
}

/* ---- errors that say what to do ---- */

static void
explain_bind(const struct address *address, int error)
{
	char text[ADDRESS_TEXT_SIZE], holder[HOLDER_TEXT_SIZE];

	address_format(address, text);
	switch (error) {
	case EADDRINUSE:
		holder_find(address, holder);
		log_error("cannot listen on %s: it is in use by %s; stop that, or choose another "
			  "--listen",
			text, holder);
		break;
	case EADDRNOTAVAIL:
		log_error("cannot listen on %s: no interface of this machine has that address; "
			  "'ip address' lists those it has",
			text);
		break;
	case EACCES:
		log_error("cannot listen on %s: ports below 1024 need privilege; choose a higher "
			  "--listen, or start as root with --user, or grant CAP_NET_BIND_SERVICE",
			text);
		break;
	default:
		log_error("cannot listen on %s: %s", text, strerror(error));
	}
}

/* ---- one copy per address ---- */

#define RETRY_EVERY 20 /* milliseconds */
#define RETRY_FOR 2000

/* An abstract Unix socket: the kernel frees the name with its owner, however that dies, and names
 * live in the same network namespace as the port. Nobody accepts on it: whoever connects only asks
 * the kernel for the owner's pid.
 * Returns the lock, or -1 with errno, EADDRINUSE if another process has it. */
static int
lock_take(const char *text)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "hubbub-lock/%s", text);
	int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&name,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) ==
			0 &&
		listen(fd, SOMAXCONN) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Two servers that start at the same moment on overlapping addresses (all, and one of them) would
 * pass each other's probe, which finds sockets that listen only. So starting on a port is done by
 * one at a time. */
static int
lock_port(const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];
	int fd;

	snprintf(text, sizeof text, "starting/%u", address_port(address));
	for (int waited = 0;
		(fd = lock_take(text)) == -1 && errno == EADDRINUSE && waited < RETRY_FOR;
		waited += RETRY_EVERY)
		poll(NULL, 0, RETRY_EVERY);
	if (fd == -1 && errno == EADDRINUSE)
		log_error(
			"another server is starting on port %u and does not get ready; stop it, or "
			"choose another --listen",
			address_port(address));
	else if (fd == -1)
		log_error("cannot lock port %u: %s", address_port(address), strerror(errno));
	return fd;
}

static int
lock_address(const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE], holder[HOLDER_TEXT_SIZE];
	int fd;

	address_format(address, text);
	fd = lock_take(text);
	if (fd == -1 && errno == EADDRINUSE) {
		holder_find(address, holder);
		log_error("cannot listen on %s: another hubbub server has it, %s; stop that, or "
			  "choose "
			  "another --listen",
			text, holder);
	} else if (fd == -1) {
		log_error("cannot lock %s: %s", text, strerror(errno));
	}
	return fd;
}

/* SO_REUSEPORT would let this server join, and share the connections of, any other of the same user
 * that set it too; a bind without it finds out. Returns 0, or an errno. */
static int
probe_once(const struct address *address)
{
	int error = 0;
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return errno;
	set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	if (bind(fd, (const struct sockaddr *)&address->socket, address->length) != 0)
		error = errno;
	close(fd);
	return error;
}

/* Workers of a server that was killed hold the port until they are dead, a moment later. */
static int
probe(const struct address *address)
{
	char holder[HOLDER_TEXT_SIZE];
	int error;

	for (int waited = 0; (error = probe_once(address)) == EADDRINUSE && waited < RETRY_FOR;
		waited += RETRY_EVERY) {
		holder_find(address, holder);
		if (strcmp(holder, HOLDER_UNKNOWN) != 0)
			break;
		poll(NULL, 0, RETRY_EVERY);
	}
	if (error == 0)
		return 0;
	explain_bind(address, error);
	return -1;
}

/* ---- binding ---- */

static int
bind_one(struct address *address)
{
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1) {
		explain_bind(address, errno);
		return -1;
	}
	set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
	/* Accepted sockets inherit it: a reply is not held back for more. */
	set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	if (bind(fd, (struct sockaddr *)&address->socket, address->length) != 0) {
		explain_bind(address, errno);
		close(fd);
		return -1;
	}
	/* Port 0 became a real one, which the others must share. */
	if (getsockname(fd, (struct sockaddr *)&address->socket, &address->length) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* An earlier address of this server may have the same port. */
static bool
is_port_locked(const struct sockets *sockets, unsigned index)
{
	unsigned port = address_port(&sockets->addresses[index]);

	for (unsigned i = 0; i < index; i++)
		if (sockets->port_locks[i] != -1 && address_port(&sockets->addresses[i]) == port)
			return true;
	return false;
}

static int
open_address(struct sockets *sockets, unsigned index)
{
	struct address *address = &sockets->addresses[index];
	bool is_any_port = address_port(address) == 0;

	if (!is_any_port) {
		sockets->locks[index] = lock_address(address);
		if (sockets->locks[index] == -1)
			return -1;
		if (!is_port_locked(sockets, index)) {
			sockets->port_locks[index] = lock_port(address);
			if (sockets->port_locks[index] == -1)
				return -1;
		}
		if (probe(address) != 0)
			return -1;
	}
	for (unsigned worker = 0; worker < sockets->workers; worker++) {
		for (unsigned hub = 0; hub < sockets->hubs; hub++) {
			int fd = bind_one(address);

			if (fd == -1)
				return -1;
			sockets->fds[position(sockets, worker, hub, index)] = fd;
		}
	}
	if (is_any_port)
		sockets->locks[index] = lock_address(address);
	return sockets->locks[index] == -1 ? -1 : 0;
}

int
sockets_open(struct sockets *sockets, const struct address *addresses, unsigned address_count,
	unsigned workers, unsigned hubs, int backlog)
{
	size_t count = (size_t)workers * hubs * address_count;

	*sockets = (struct sockets){.address_count = address_count,
		.workers = workers,
		.hubs = hubs,
		.backlog = backlog,
		.addresses = calloc(address_count, sizeof *sockets->addresses),
		.locks = calloc(address_count, sizeof *sockets->locks),
		.port_locks = calloc(address_count, sizeof *sockets->port_locks),
		.fds = calloc(count, sizeof *sockets->fds),
		.listens = calloc(count, sizeof *sockets->listens)};
	if (sockets->addresses == NULL || sockets->locks == NULL || sockets->port_locks == NULL ||
		sockets->fds == NULL || sockets->listens == NULL) {
		log_error("no memory for %zu listening sockets", count);
		return -1;
	}
	memcpy(sockets->addresses, addresses, address_count * sizeof *addresses);
	memset(sockets->fds, -1, count * sizeof *sockets->fds);
	memset(sockets->locks, -1, address_count * sizeof *sockets->locks);
	memset(sockets->port_locks, -1, address_count * sizeof *sockets->port_locks);
	for (unsigned index = 0; index < address_count; index++)
		if (open_address(sockets, index) != 0)
			return -1;
	return 0;
}

const int *
sockets_of_worker(const struct sockets *sockets, unsigned worker)
{
	return &sockets->fds[position(sockets, worker, 0, 0)];
}

int
sockets_listen(struct sockets *sockets, unsigned worker, unsigned hub)
{
	for (unsigned index = 0; index < sockets->address_count; index++) {
		size_t at = position(sockets, worker, hub, index);

		if (sockets->listens[at])
			continue;
		if (listen(sockets->fds[at], sockets->backlog) != 0)
			return -1;
		sockets->listens[at] = true;
	}
	return 0;
}

void
sockets_close_hub(struct sockets *sockets, unsigned worker, unsigned hub)
{
	for (unsigned index = 0; index < sockets->address_count; index++) {
		int *fd = &sockets->fds[position(sockets, worker, hub, index)];

		if (*fd != -1)
			close(*fd);
		*fd = -1;
	}
}

void
sockets_unlock_ports(struct sockets *sockets)
{
	for (unsigned index = 0; sockets->port_locks != NULL && index < sockets->address_count;
		index++) {
		if (sockets->port_locks[index] != -1)
			close(sockets->port_locks[index]);
		sockets->port_locks[index] = -1;
	}
}

void
sockets_close(struct sockets *sockets)
{
	for (unsigned worker = 0; sockets->fds != NULL && worker < sockets->workers; worker++)
		for (unsigned hub = 0; hub < sockets->hubs; hub++)
			sockets_close_hub(sockets, worker, hub);
	for (unsigned index = 0; sockets->locks != NULL && index < sockets->address_count; index++)
		if (sockets->locks[index] != -1)
			close(sockets->locks[index]);
	sockets_unlock_ports(sockets);
	free(sockets->addresses);
	free(sockets->locks);
	free(sockets->port_locks);
	free(sockets->fds);
	free(sockets->listens);
	*sockets = (struct sockets){0};
}
