#include "master/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

/* ---- one copy per port ---- */

/* An abstract Unix socket: the kernel frees the name with its owner, however that dies, and names
 * live in the same network namespace as the port. */
static socklen_t
lock_name(const struct address *address, struct sockaddr_un *name)
{
	char text[ADDRESS_TEXT_SIZE];
	int length;

	address_format(address, text);
	memset(name, 0, sizeof *name);
	name->sun_family = AF_UNIX;
	length = snprintf(name->sun_path + 1, sizeof name->sun_path - 1, "hubbub-lock/%s", text);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static int
lock_owner(const struct sockaddr_un *name, socklen_t length)
{
	struct ucred owner = {.pid = 0};
	socklen_t size = sizeof owner;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return 0;
	if (connect(fd, (const struct sockaddr *)name, length) == 0)
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &owner, &size);
	close(fd);
	return owner.pid;
}

/* Nobody accepts on it: whoever connects only asks the kernel for the owner's pid. */
static int
lock_take(const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];
	struct sockaddr_un name;
	socklen_t length = lock_name(address, &name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address_format(address, text);
	if (fd == -1) {
		log_error("cannot lock %s: %s", text, strerror(errno));
		return -1;
	}
	if (bind(fd, (struct sockaddr *)&name, length) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	if (errno == EADDRINUSE)
		log_error("cannot listen on %s: another hubbub server with pid %d serves it; "
			  "stop that (kill %d), or choose another --listen",
			text, lock_owner(&name, length), lock_owner(&name, length));
	else
		log_error("cannot lock %s: %s", text, strerror(errno));
	close(fd);
	return -1;
}

/* SO_REUSEPORT would let this server join, and share the connections of, any other of the same user
 * that set it too; a bind without it finds out. */
static int
probe(const struct address *address)
{
	int error = 0;
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1) {
		error = errno;
	} else {
		set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
		if (bind(fd, (const struct sockaddr *)&address->socket, address->length) != 0)
			error = errno;
		close(fd);
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

static int
open_address(struct sockets *sockets, unsigned index)
{
	struct address *address = &sockets->addresses[index];
	bool is_any_port = address_port(address) == 0;

	if (!is_any_port) {
		sockets->locks[index] = lock_take(address);
		if (sockets->locks[index] == -1 || probe(address) != 0)
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
		sockets->locks[index] = lock_take(address);
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
		.fds = calloc(count, sizeof *sockets->fds),
		.listens = calloc(count, sizeof *sockets->listens)};
	if (sockets->addresses == NULL || sockets->locks == NULL || sockets->fds == NULL ||
		sockets->listens == NULL) {
		log_error("no memory for %zu listening sockets", count);
		return -1;
	}
	memcpy(sockets->addresses, addresses, address_count * sizeof *addresses);
	memset(sockets->fds, -1, count * sizeof *sockets->fds);
	memset(sockets->locks, -1, address_count * sizeof *sockets->locks);
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
sockets_close(struct sockets *sockets)
{
	for (unsigned worker = 0; sockets->fds != NULL && worker < sockets->workers; worker++)
		for (unsigned hub = 0; hub < sockets->hubs; hub++)
			sockets_close_hub(sockets, worker, hub);
	for (unsigned index = 0; sockets->locks != NULL && index < sockets->address_count; index++)
		if (sockets->locks[index] != -1)
			close(sockets->locks[index]);
	free(sockets->addresses);
	free(sockets->locks);
	free(sockets->fds);
	free(sockets->listens);
	*sockets = (struct sockets){0};
}
