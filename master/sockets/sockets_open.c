/* From addresses to seats: claims, passed sockets, and ports that the kernel chooses. Nothing
 * listens before every address is locked and probed, so that a start that fails has taken no
 * client. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/sockets/bind.h"
#include "master/sockets/claim.h"
#include "master/sockets/sockets.h"

/* Removes an address. Only three arrays move: all others still have the same value for each
 * address. */
static void
leave_out(struct sockets *sockets, unsigned index)
{
	unsigned after = --sockets->address_count - index;

	memmove(&sockets->addresses[index], &sockets->addresses[index + 1],
		after * sizeof *sockets->addresses);
	memmove(&sockets->shared[index], &sockets->shared[index + 1],
		after * sizeof *sockets->shared);
	memmove(&sockets->passed[index], &sockets->passed[index + 1],
		after * sizeof *sockets->passed);
}

/* Leaves out addresses that the machine does not have, if their names have others. Only passed
 * sockets are open at this time. */
static void
leave_out_missing(struct sockets *sockets)
{
	for (unsigned i = sockets->address_count; i-- > 0;)
		if (sockets->shared[i] == -1 &&
			claim_can_spare(sockets->addresses, sockets->address_count, i))
			leave_out(sockets, i);
}

/* Whether an earlier address has locked the same port already: one process cannot take the lock
 * twice. */
static bool
is_port_locked(const struct sockets *sockets, unsigned index)
{
	const struct address *address = &sockets->addresses[index];

	for (unsigned i = 0; i < index; i++)
		if (sockets->port_locks[i] != -1 && sockets->addresses[i].kind == address->kind &&
			address_port(&sockets->addresses[i]) == address_port(address))
			return true;
	return false;
}

/* Locks and probes each address whose port is known. Locks come first, so that of two servers that
 * start one waits or fails before it probes. Returns 0, or -1 after logging. */
static int
claim_all(struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->address_count; i++) {
		struct address *address = &sockets->addresses[i];

		if (address_is_open(address))
			continue;
		sockets->locks[i] = claim_address(address);
		if (sockets->locks[i] == -1)
			return -1;
		/* A passed socket needs no probe: the service manager has bound it for this
		 * server. */
		if (sockets->shared[i] != -1)
			continue;
		if (address->kind != ADDRESS_UNIX && !is_port_locked(sockets, i)) {
			sockets->port_locks[i] = claim_port(address);
			if (sockets->port_locks[i] == -1)
				return -1;
		}
		if (claim_probe(address) != 0)
			return -1;
	}
	return 0;
}

/* Forgets the ports that the kernel chose. Returns whether there were any. */
static bool
reopen_ports(struct sockets *sockets)
{
	bool has_open = false;

	for (unsigned i = 0; i < sockets->address_count; i++) {
		/* A port that the kernel chose is not locked before it is certain. */
		if (sockets->locks[i] != -1)
			continue;
		address_set_port(&sockets->addresses[i], 0);
		has_open = true;
	}
	return has_open;
}

/* Binds the first seat, and so fixes the ports that all other seats bind to. Returns 0, or -1 with
 * errno. */
static int
bind_first_seat(struct sockets *sockets)
{
	/* A port that is free at one address of a name may be taken at another. */
	for (int tries = 0; tries < CLAIM_PORTS_MAX; tries++) {
		if (sockets_grow(sockets, 1) == 0)
			return 0;
		if (errno != EADDRINUSE || sockets->locks[sockets->refused] != -1 ||
			!reopen_ports(sockets))
			return -1;
	}
	errno = EADDRINUSE;
	return -1;
}

/* Whether other sockets can be bound beside a passed one, in one group. */
static bool
can_be_joined(struct sockets *sockets, unsigned index)
{
	int on = 0, fd;
	socklen_t length = sizeof on;

	if (getsockopt(sockets->shared[index], SOL_SOCKET, SO_REUSEPORT, &on, &length) != 0 || !on)
		return false;
	fd = bind_address(&sockets->addresses[index]);
	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* Makes each passed socket the first seat's, if the other seats can join its group; else it stays
 * shared. */
static void
seat_passed(struct sockets *sockets)
{
	char text[ADDRESS_TEXT_SIZE];

	for (unsigned i = 0; i < sockets->address_count; i++) {
		if (sockets->shared[i] == -1 || sockets->addresses[i].kind == ADDRESS_UNIX)
			continue;
		if (can_be_joined(sockets, i)) {
			close(sockets->seats[0].fds[i]);
			sockets->seats[0].fds[i] = sockets->shared[i];
			sockets->shared[i] = -1;
			continue;
		}
		address_format(&sockets->addresses[i], text);
		log_warning("no socket can be bound beside the passed one for %s (it needs "
			    "ReusePort=yes "
			    "and the same user): all hubs share it, without steering",
			text);
	}
}

/* Binds the one socket of a Unix path. Any user that can reach its directory may connect. Returns
 * 0, or -1 with errno. */
static int
bind_path(struct sockets *sockets, unsigned index)
{
	struct address *address = &sockets->addresses[index];
	/* By umask, not by chmod(2) afterwards: by then the path may be a link to another file. */
	mode_t mask = umask(0111);
	int fd = bind_address(address);

	umask(mask);
	if (fd == -1)
		return -1;
	sockets->shared[index] = fd;
	return 0;
}

/* Binds all Unix sockets that were not passed. Notes their files also after a failure, so that
 * those already made are removed at the end. Returns 0, or -1 with errno and `refused`. */
static int
bind_paths(struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->address_count; i++) {
		if (sockets->addresses[i].kind != ADDRESS_UNIX || sockets->shared[i] != -1 ||
			bind_path(sockets, i) == 0)
			continue;
		sockets->refused = i;
		sockets_know_paths(sockets);
		return -1;
	}
	sockets_know_paths(sockets);
	return 0;
}

int
sockets_open(struct sockets *sockets, unsigned seats)
{
	leave_out_missing(sockets);
	if (claim_all(sockets) != 0)
		return -1;
	sockets->roll = roll_new(&sockets->roll_file);
	if (sockets->roll == NULL) {
		log_error("no memory for listening sockets");
		return -1;
	}
	sockets->is_owner = true;
	if (bind_paths(sockets) != 0 || bind_first_seat(sockets) != 0) {
		claim_explain(&sockets->addresses[sockets->refused], errno);
		return -1;
	}
	seat_passed(sockets);
	/* Ports that the kernel chose are known only now. */
	for (unsigned i = 0; i < sockets->address_count; i++)
		if (sockets->locks[i] == -1 &&
			(sockets->locks[i] = claim_address(&sockets->addresses[i])) == -1)
			return -1;
	/* A passed socket listens already, and is the first member of its group: so the first seat
	 * must be. */
	for (unsigned i = 0; i < sockets->address_count; i++)
		if (sockets->passed[i] != -1 && sockets_listen(sockets, 0) != 0) {
			claim_explain(&sockets->addresses[i], errno);
			return -1;
		}
	if (sockets_grow(sockets, seats) == 0)
		return 0;
	log_error("cannot open %u listening sockets: %s (file limit?)",
		seats * sockets->address_count, strerror(errno));
	return -1;
}

int
sockets_find(const struct sockets *sockets, int fd)
{
	struct address passed = {.length = sizeof passed.socket};
	int type = 0;
	socklen_t size = sizeof type;

	if (getsockname(fd, (struct sockaddr *)&passed.socket, &passed.length) != 0 ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
		return -1;
	for (unsigned i = 0; i < sockets->address_count; i++) {
		const struct address *own = &sockets->addresses[i];

		/* A Unix path is one address, whatever the socket's type; TCP and UDP ports are
		 * separate. */
		if (own->length == passed.length &&
			memcmp(&own->socket, &passed.socket, own->length) == 0 &&
			(own->kind == ADDRESS_UNIX ||
				(own->kind == ADDRESS_UDP) == (type == SOCK_DGRAM)))
			return (int)i;
	}
	return -1;
}

void
sockets_take(struct sockets *sockets, unsigned address, int fd)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	bind_set_flags(&sockets->addresses[address], fd);
	sockets->shared[address] = sockets->passed[address] = fd;
}
