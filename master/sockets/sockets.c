/* What all parts share: memory, the files of Unix sockets, growing and shrinking, closing. Opening
 * is in sockets_open.c; which seats listen, in sockets_group.c. Every fd here is -1 once it is
 * closed. */
#include "master/sockets/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/sockets/bind.h"
#include "master/sockets/claim.h"

int
sockets_init(struct sockets *sockets, const struct address *addresses, unsigned address_count,
	int backlog)
{
	*sockets = (struct sockets){.address_count = address_count,
		.backlog = backlog,
		.roll_file = -1,
		.waiting = epoll_create1(EPOLL_CLOEXEC),
		.can_bind = true,
		.addresses = calloc(address_count, sizeof *sockets->addresses),
		.shared = calloc(address_count, sizeof *sockets->shared),
		.passed = calloc(address_count, sizeof *sockets->passed),
		.paths = calloc(address_count, sizeof *sockets->paths),
		.lost = calloc(address_count, sizeof *sockets->lost),
		.locks = calloc(address_count, sizeof *sockets->locks),
		.port_locks = calloc(address_count, sizeof *sockets->port_locks)};
	if (sockets->addresses == NULL || sockets->paths == NULL || sockets->lost == NULL ||
		sockets->shared == NULL || sockets->passed == NULL || sockets->locks == NULL ||
		sockets->port_locks == NULL) {
		log_error("no memory for listening sockets");
		return -1;
	}
	memcpy(sockets->addresses, addresses, address_count * sizeof *addresses);
	memset(sockets->shared, -1, address_count * sizeof *sockets->shared);
	memset(sockets->passed, -1, address_count * sizeof *sockets->passed);
	memset(sockets->locks, -1, address_count * sizeof *sockets->locks);
	memset(sockets->port_locks, -1, address_count * sizeof *sockets->port_locks);
	return 0;
}

/* ---- files of Unix sockets ---- */

void
sockets_know_paths(struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->address_count; i++) {
		/* An identity that a former master handed on is kept: by now another file may lie
		 * at the path. */
		if (sockets->addresses[i].kind == ADDRESS_UNIX && sockets->shared[i] != -1 &&
			sockets->paths[i].inode == 0)
			sockets->paths[i] = path_identity(address_path(&sockets->addresses[i]));
	}
}

/* Whether the file at the path is still the one that bind made. */
static bool
is_own_path(const struct sockets *sockets, unsigned index)
{
	return path_identity_is(&sockets->paths[index], address_path(&sockets->addresses[index]));
}

/* Whether the address is a Unix socket whose file this server has made: not a passed one. */
static bool
has_path(const struct sockets *sockets, unsigned index)
{
	return sockets->addresses[index].kind == ADDRESS_UNIX && sockets->shared[index] != -1 &&
	       sockets->passed[index] == -1;
}

void
sockets_look(struct sockets *sockets)
{
	for (unsigned i = 0; sockets->is_owner && i < sockets->address_count; i++) {
		bool is_lost = has_path(sockets, i) && !is_own_path(sockets, i);

		if (is_lost && !sockets->lost[i])
			log_error("%s is not this server's socket any more: it was removed or "
				  "replaced, and nobody can connect there until a restart",
				address_path(&sockets->addresses[i]));
		sockets->lost[i] = is_lost;
	}
}

void
sockets_look_again(struct sockets *sockets)
{
	memset(sockets->lost, 0, sockets->address_count * sizeof *sockets->lost);
	sockets_look(sockets);
}

void
sockets_remove_paths(struct sockets *sockets)
{
	for (unsigned i = 0; sockets->is_owner && i < sockets->address_count; i++)
		if (has_path(sockets, i) && is_own_path(sockets, i))
			unlink(address_path(&sockets->addresses[i]));
	sockets->is_owner = false;
}

/* ---- seats ---- */

/* Returns a new socket of a seat for that address: bound, or a duplicate of the shared one. -1 with
 * errno. */
static int
bind_at(struct sockets *sockets, unsigned index)
{
	int error;

	if (sockets->shared[index] != -1)
		return fcntl(sockets->shared[index], F_DUPFD_CLOEXEC, 3);
	error = claim_follow_port(sockets->addresses, index);
	if (error == 0)
		return bind_address(&sockets->addresses[index]);
	errno = error;
	return -1;
}

/* Binds all sockets of a seat, or none. Returns 0, or -1 with errno, and `refused` set if an
 * address was the reason. */
static int
bind_seat(struct sockets *sockets, struct seat *seat)
{
	seat->listens = false;
	seat->fds = malloc(sockets->address_count * sizeof *seat->fds);
	if (seat->fds == NULL)
		return -1;
	for (unsigned i = 0; i < sockets->address_count; i++) {
		seat->fds[i] = bind_at(sockets, i);
		if (seat->fds[i] == -1) {
			int error = errno;

			sockets->refused = i;
			while (i-- > 0)
				close(seat->fds[i]);
			free(seat->fds);
			errno = error;
			return -1;
		}
	}
	return 0;
}

static void
close_all(int *fds, unsigned count)
{
	for (unsigned i = 0; fds != NULL && i < count; i++) {
		if (fds[i] != -1)
			close(fds[i]);
		fds[i] = -1;
	}
}

static void
free_seat(struct sockets *sockets, struct seat *seat)
{
	close_all(seat->fds, sockets->address_count);
	free(seat->fds);
}

int
sockets_grow(struct sockets *sockets, unsigned seats)
{
	struct seat *grown;
	unsigned *order, before;

	if (seats <= sockets->seat_count)
		return 0;
	if (!sockets->can_bind || seats > SOCKETS_SEATS_MAX) {
		errno = sockets->can_bind ? EINVAL : EPERM;
		return -1;
	}
	grown = realloc(sockets->seats, seats * sizeof *grown);
	if (grown != NULL)
		sockets->seats = grown;
	order = realloc(sockets->order, seats * sizeof *order);
	if (order != NULL)
		sockets->order = order;
	if (grown == NULL || order == NULL)
		return -1;
	before = sockets->seat_count;
	while (sockets->seat_count < seats) {
		if (bind_seat(sockets, &sockets->seats[sockets->seat_count]) != 0) {
			int error = errno;

			while (sockets->seat_count > before)
				free_seat(sockets, &sockets->seats[--sockets->seat_count]);
			errno = error;
			return -1;
		}
		sockets->seat_count++;
	}
	return 0;
}

void
sockets_shrink(struct sockets *sockets, unsigned seats)
{
	while (sockets->can_bind && sockets->seat_count > seats &&
		!sockets->seats[sockets->seat_count - 1].listens)
		free_seat(sockets, &sockets->seats[--sockets->seat_count]);
}

int *
sockets_list(const struct sockets *sockets, unsigned first, unsigned seats, const bool **kept)
{
	unsigned count = seats * sockets->address_count;
	int *fds = malloc(count * (sizeof(int) + sizeof(bool)));
	bool *is_kept = (bool *)(fds + count);

	for (unsigned i = 0; fds != NULL && i < count; i++) {
		unsigned seat = first + i / sockets->address_count;
		unsigned address = i % sockets->address_count;

		fds[i] = sockets->seats[seat].fds[address];
		is_kept[i] = sockets_is_kept(sockets, seat, address);
	}
	*kept = is_kept;
	return fds;
}

/* ---- closing ---- */

void
sockets_unlock_ports(struct sockets *sockets)
{
	close_all(sockets->port_locks, sockets->address_count);
}

void
sockets_release(struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->seat_count; i++)
		close_all(sockets->seats[i].fds, sockets->address_count);
	close_all(sockets->shared, sockets->address_count);
	close_all(sockets->locks, sockets->address_count);
	sockets_unlock_ports(sockets);
}

void
sockets_close(struct sockets *sockets)
{
	sockets_remove_paths(sockets);
	for (unsigned i = 0; i < sockets->seat_count; i++)
		free_seat(sockets, &sockets->seats[i]);
	close_all(sockets->shared, sockets->address_count);
	close_all(sockets->locks, sockets->address_count);
	sockets_unlock_ports(sockets);
	free(sockets->addresses);
	free(sockets->shared);
	free(sockets->passed);
	free(sockets->paths);
	free(sockets->lost);
	free(sockets->locks);
	free(sockets->port_locks);
	free(sockets->seats);
	free(sockets->order);
	roll_free(&sockets->roll);
	if (sockets->roll_file != -1)
		close(sockets->roll_file);
	if (sockets->waiting != -1)
		close(sockets->waiting);
	*sockets = (struct sockets){.roll_file = -1, .waiting = -1};
}
