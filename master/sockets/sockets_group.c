/* Which seats listen: the kernel's SO_REUSEPORT group of each address. listen(2) appends a socket
 * to its group, shutdown(2) takes it out; `order` and the roll follow each of these calls, and no
 * other file makes them. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/log.h"
#include "master/sockets/queues.h"
#include "master/sockets/sockets.h"

#define TCP_FLAGS 13 /* offset of the byte in a TCP header */
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_ACK 0x10

/* Whether the seat's socket may be shut down or filtered: it is a member of a group, and no service
 * manager holds it, too. */
static bool
is_own(const struct sockets *sockets, const struct seat *seat, unsigned address)
{
	return sockets_is_in_group(sockets, address) &&
	       seat->fds[address] != sockets->passed[address];
}

static bool
does_listen(int fd)
{
	int listens = 0;
	socklen_t length = sizeof listens;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0;
}

/* Makes the seat's socket for that address listen. Returns 0, or -1 with errno. */
static int
listen_on(const struct sockets *sockets, const struct seat *seat, unsigned address)
{
	switch (sockets->addresses[address].kind) {
	case ADDRESS_TCP:
		/* A shared TCP socket was passed. If it listens already its backlog stays; a
		 * service manager may have left listen to the server. */
		if (sockets->shared[address] != -1 && does_listen(seat->fds[address]))
			return 0;
		break;
	case ADDRESS_UDP:
		return 0;
	case ADDRESS_UNIX:
		/* Every seat has a duplicate of the same socket; listening again changes
		 * nothing. */
		break;
	}
	return listen(seat->fds[address], sockets->backlog);
}

/* Takes the seat's socket for that address out of its group. */
static void
shut(const struct sockets *sockets, const struct seat *seat, unsigned address)
{
	if (is_own(sockets, seat, address))
		shutdown(seat->fds[address], SHUT_RDWR);
}

/* After each change of order. */
static void
tell_order(struct sockets *sockets)
{
	sockets->changes++;
	roll_write(sockets->roll, sockets->order, sockets->listening);
}

int
sockets_listen(struct sockets *sockets, unsigned index)
{
	struct seat *seat = &sockets->seats[index];

	if (seat->listens)
		return 0;
	for (unsigned i = 0; i < sockets->address_count; i++) {
		int error;

		if (listen_on(sockets, seat, i) == 0)
			continue;
		/* A seat is in the groups of all addresses, or of none. */
		error = errno;
		while (i-- > 0)
			shut(sockets, seat, i);
		errno = error;
		return -1;
	}
	seat->listens = true;
	queues_watch(sockets, index);
	sockets->order[sockets->listening++] = index;
	tell_order(sockets);
	return 0;
}

void
sockets_leave_group(struct sockets *sockets, unsigned index)
{
	struct seat *seat = &sockets->seats[index];

	if (!seat->listens)
		return;
	queues_unwatch(sockets, index);
	for (unsigned i = 0; i < sockets->address_count; i++)
		shut(sockets, seat, i);
	seat->listens = false;
	for (unsigned at = 0; at < sockets->listening; at++) {
		if (sockets->order[at] != index)
			continue;
		sockets->order[at] = sockets->order[--sockets->listening];
		tell_order(sockets);
		break;
	}
}

void
sockets_forget(struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->listening; i++)
		queues_unwatch(sockets, sockets->order[i]);
	for (unsigned i = 0; i < sockets->seat_count; i++)
		sockets->seats[i].listens = false;
	sockets->listening = 0;
	sockets->is_owner = false;
}

/* Whether a seat is a member of the groups now. The roll may say otherwise: its master may have
 * died between shutdown and writing the roll. */
static bool
is_member(const struct sockets *sockets, unsigned index)
{
	for (unsigned i = 0; index < sockets->seat_count && i < sockets->address_count; i++) {
		const struct seat *seat = &sockets->seats[index];

		if (is_own(sockets, seat, i))
			return does_listen(seat->fds[i]);
	}
	/* Without a TCP socket of its own the seat is in no group: the roll is right. */
	return index < sockets->seat_count;
}

/* Strikes seats that are no members any more from order. The kernel moved the last member into the
 * place of each that left. If several have left, in an unknown sequence, it is unknown which
 * members were moved, unless those that left were the last ones. Returns whether order is
 * certain. */
static bool
strike_absent(struct sockets *sockets)
{
	unsigned *order = sockets->order, absent = 0, behind = 0;

	for (unsigned i = 0; i < sockets->listening; i++) {
		if (!is_member(sockets, order[i]))
			absent++;
		else if (absent > 0)
			behind++;
	}
	for (unsigned i = 0; i < sockets->listening;) {
		if (is_member(sockets, order[i]))
			i++;
		else
			order[i] = order[--sockets->listening];
	}
	return absent <= 1 || behind == 0;
}

/* Gives queues that another master made this master's backlog. Listening again does not move a
 * member within its group. */
static void
resize_queues(const struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->listening; i++)
		for (unsigned address = 0; address < sockets->address_count; address++)
			if (listen_on(sockets, &sockets->seats[sockets->order[i]], address) != 0)
				log_warning("cannot give a listening socket the length of "
					    "--backlog: %s",
					strerror(errno));
}

bool
sockets_own(struct sockets *sockets)
{
	unsigned *order = calloc(2 * (size_t)SOCKETS_SEATS_MAX, sizeof *order);
	bool is_known;

	if (order == NULL)
		return false;
	free(sockets->order);
	sockets->order = order;
	sockets->listening = roll_read(sockets->roll, order);
	is_known = strike_absent(sockets);
	for (unsigned i = 0; i < sockets->listening; i++) {
		sockets->seats[order[i]].listens = true;
		queues_watch(sockets, order[i]);
	}
	tell_order(sockets);
	resize_queues(sockets);
	sockets->is_owner = true;
	sockets_know_paths(sockets);
	return is_known;
}

void
sockets_drop_syns(struct sockets *sockets)
{
	/* Drops a bare SYN, which the client repeats after a second; the ACK that ends a handshake
	 * passes. A socket filter sees a packet from its TCP header on. */
	static struct sock_filter drop_syn[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TCP_FLAG_SYN | TCP_FLAG_ACK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_FLAG_SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	static const struct sock_fprog program = {5, drop_syn};

	sockets_remove_paths(sockets);
	for (unsigned i = 0; i < sockets->listening; i++)
		for (unsigned address = 0; address < sockets->address_count; address++)
			if (is_own(sockets, &sockets->seats[sockets->order[i]], address))
				setsockopt(sockets->seats[sockets->order[i]].fds[address],
					SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
