/* A service manager keeps a duplicate of each socket that it passes. So a passed socket that this
 * server does not serve cannot simply be closed: its clients would wait in the queue for ever. Each
 * passed socket is therefore served, or known to have no clients, or the start is refused. */
#include "master/sockets/activation.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/base/values.h"

#define FIRST_FD 3

/* Whether LISTEN_PID names this process; else the variables were meant for a parent. */
static bool
is_meant(void)
{
	const char *pid = getenv("LISTEN_PID");
	uint64_t whose;

	return pid != NULL && values_read_plain(pid, INT_MAX, &whose) && (pid_t)whose == getpid();
}

/* Returns how many sockets were passed to this process; -1 if LISTEN_FDS is not a possible
 * number. */
static int
read_count(void)
{
	const char *text = getenv("LISTEN_FDS");
	uint64_t count;

	if (text == NULL || !is_meant())
		return 0;
	return values_read_plain(text, (uint64_t)sysconf(_SC_OPEN_MAX) - FIRST_FD, &count)
		       ? (int)count
		       : -1;
}

int
activation_last(void)
{
	int count = read_count();

	return FIRST_FD - 1 + (count > 0 ? count : 0);
}

static int
read_option(int fd, int option)
{
	int value = 0;
	socklen_t length = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : 0;
}

/* Whether two file descriptors refer to the same socket. */
static bool
is_same(int a, int b)
{
	uint64_t cookies[2] = {0, 0};
	socklen_t length = sizeof cookies[0];

	return getsockopt(a, SOL_SOCKET, SO_COOKIE, &cookies[0], &length) == 0 &&
	       getsockopt(b, SOL_SOCKET, SO_COOKIE, &cookies[1], &length) == 0 &&
	       cookies[0] == cookies[1];
}

static bool
is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;

	return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

/* Whether the socket is a datagram socket with a port or a path that datagrams can be sent to. */
static bool
takes_datagrams(const struct address *address, int fd)
{
	int family = address->socket.ss_family;

	return read_option(fd, SO_TYPE) == SOCK_DGRAM &&
	       (family == AF_INET || family == AF_INET6 ||
		       (family == AF_UNIX && address->length > sizeof(sa_family_t)));
}

/* Returns what is wrong with a passed socket that is bound to none of the --listen addresses; NULL
 * if it cannot have clients, and may be closed. */
static const char *
find_strangers_fault(const struct address *address, int fd)
{
	if (is_connected(fd))
		return "is connected already: use Accept=no in the .socket unit";
	if (read_option(fd, SO_ACCEPTCONN) != 0 || takes_datagrams(address, fd))
		return "is none of the --listen addresses, and its clients would wait for ever: "
		       "name it with --listen, or take it out of the .socket unit";
	return NULL;
}

/* Copies the name of the passed socket of that index, from 0; "" if it has none, or a longer one
 * than listeners have. */
static void
read_name(unsigned index, char name[static ADDRESS_LISTENER_SIZE])
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t length;

	for (; names != NULL && index > 0; index--) {
		names = strchr(names, ':');
		names = names != NULL ? names + 1 : NULL;
	}
	length = names != NULL ? strcspn(names, ":") : 0;
	if (length >= ADDRESS_LISTENER_SIZE)
		length = 0;
	if (length > 0)
		memcpy(name, names, length);
	name[length] = '\0';
}

/* Whether a passed socket has the name of a listener of --listen, but its address is another's. A
 * name that is none of theirs says nothing: the default is the unit's. */
static bool
is_misnamed(const struct sockets *sockets, unsigned address, int fd)
{
	char name[ADDRESS_LISTENER_SIZE];

	read_name((unsigned)(fd - FIRST_FD), name);
	if (name[0] == '\0' || strcmp(name, sockets->addresses[address].listener) == 0)
		return false;
	for (unsigned i = 0; i < sockets->address_count; i++)
		if (strcmp(name, sockets->addresses[i].listener) == 0)
			return true;
	return false;
}

/* Returns what is wrong with a passed socket that is bound to one of the --listen addresses, or
 * NULL. It cannot be closed instead: the service manager's duplicate would keep its clients waiting
 * for ever. */
static const char *
find_fault(const struct sockets *sockets, unsigned address, int fd)
{
	bool is_datagram = sockets->addresses[address].kind == ADDRESS_UDP;

	if (read_option(fd, SO_TYPE) != (is_datagram ? SOCK_DGRAM : SOCK_STREAM))
		return "is of another type: use ListenStream= in the .socket unit";
	if (read_option(fd, SO_ACCEPTCONN) == 0 && is_connected(fd))
		return "is connected already: use Accept=no in the .socket unit";
	if (is_misnamed(sockets, address, fd))
		return "has by FileDescriptorName= the name of a listener that --listen gives "
		       "another address: make both the same";
	if (sockets->shared[address] != -1)
		return "is the second one of that address, whose clients would wait for ever: name "
		       "the address once in the .socket unit";
	return NULL;
}

static int
refuse(int fd, const char *text, const char *fault)
{
	log_error("cannot start: the passed socket %d (%s) %s", fd, text, fault);
	return -1;
}

/* Gives a passed socket to its address, or closes it. Returns 0, or -1 after logging. */
static int
take(struct sockets *sockets, int fd)
{
	struct address address = {.length = sizeof address.socket};
	char text[ADDRESS_TEXT_SIZE] = "no address";
	int index = sockets_find(sockets, fd);
	const char *fault;

	if (getsockname(fd, (struct sockaddr *)&address.socket, &address.length) == 0) {
		address.kind = address.socket.ss_family == AF_UNIX      ? ADDRESS_UNIX
			       : read_option(fd, SO_TYPE) == SOCK_DGRAM ? ADDRESS_UDP
									: ADDRESS_TCP;
		address_format(&address, text);
	}
	if (index == -1) {
		fault = find_strangers_fault(&address, fd);
		if (fault != NULL)
			return refuse(fd, text, fault);
		log_warning("the passed socket %d (%s) is none of the --listen addresses; closing "
			    "it",
			fd, text);
		close(fd);
		return 0;
	}
	if (sockets->shared[index] != -1 && is_same(sockets->shared[index], fd)) {
		close(fd);
		return 0;
	}
	fault = find_fault(sockets, (unsigned)index, fd);
	if (fault != NULL)
		return refuse(fd, text, fault);
	sockets_take(sockets, (unsigned)index, fd);
	return 0;
}

int
activation_take(struct sockets *sockets)
{
	int count = read_count(), result = 0;

	if (count < 0)
		log_warning("LISTEN_FDS: %s sockets cannot have been passed; using none",
			getenv("LISTEN_FDS"));
	for (int fd = FIRST_FD; result == 0 && fd < FIRST_FD + count; fd++)
		result = take(sockets, fd);
	/* The variables are meant for this process alone, not for workers or the next master. */
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	return result;
}
