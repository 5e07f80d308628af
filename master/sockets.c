#include "master/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/claim.h"

#define DATAGRAM_BUFFER                                                                            \
	(4 << 20)    /* bytes; as many as net.core.rmem_max allows who may not exceed it */
#define TCP_FLAGS 13 /* offset of the byte in a TCP header */
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_ACK 0x10

static void
set_flag(int fd, int level, int option)
{
	int on = 1;

	if (setsockopt(fd, level, option, &on, sizeof on) != 0)
		log_warning("cannot set socket option %d: %s", option, strerror(errno));
}

/* ---- binding ---- */

static void
set_flags(const struct address *address, int fd)
{
	int buffer = DATAGRAM_BUFFER;

	switch (address->kind) {
	case ADDRESS_TCP:
		/* Accepted sockets inherit it: a reply is not held back for more. */
		set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
		break;
	case ADDRESS_UDP:
		/* What comes while a hub does something else has to wait somewhere. */
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
		/* A reply leaves from the address that was asked. */
		if (address->socket.ss_family == AF_INET6)
			set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
		else
			set_flag(fd, IPPROTO_IP, IP_PKTINFO);
		break;
	case ADDRESS_UNIX:
		break;
	}
}

/* Returns a bound socket, or -1 with errno. */
static int
bind_one(struct address *address)
{
	int type = address->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int error, off = 0,
		   fd = socket(address->socket.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	/* To a datagram socket it would mean what SO_REUSEPORT does, for anybody. */
	if (address->kind == ADDRESS_TCP)
		set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	if (address->kind != ADDRESS_UNIX)
		set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
	set_flags(address, fd);
	/* All addresses are v4, too, whatever net.ipv6.bindv6only says. */
	if (address->socket.ss_family == AF_INET6 &&
		IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&address->socket)->sin6_addr))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	/* Port 0 becomes a real one, which the others must share. */
	if (bind(fd, (struct sockaddr *)&address->socket, address->length) == 0 &&
		getsockname(fd, (struct sockaddr *)&address->socket, &address->length) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The one socket of a path; whoever may enter its folder may connect. Returns 0, or -1 with
 * errno. */
static int
bind_path(struct sockets *sockets, unsigned index)
{
	struct address *address = &sockets->addresses[index];
	/* Not by chmod(2) afterwards, by when the path may be a link to something else. */
	mode_t mask = umask(0111);
	int fd = bind_one(address);

	umask(mask);
	if (fd == -1)
		return -1;
	sockets->shared[index] = fd;
	return 0;
}

static void
know_paths(struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->address_count; i++) {
		struct stat status;

		if (sockets->addresses[i].kind == ADDRESS_UNIX && sockets->shared[i] != -1 &&
			lstat(address_path(&sockets->addresses[i]), &status) == 0)
			sockets->paths[i] = (struct path_identity){status.st_dev, status.st_ino};
	}
}

static int
bind_paths(struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->address_count; i++) {
		if (sockets->addresses[i].kind != ADDRESS_UNIX || sockets->shared[i] != -1 ||
			bind_path(sockets, i) == 0)
			continue;
		sockets->refused = i;
		know_paths(sockets);
		return -1;
	}
	know_paths(sockets);
	return 0;
}

/* Whether the file at a path is still the one that was bound: somebody may have removed it, and
 * bound another. */
static bool
is_own_path(const struct sockets *sockets, unsigned index)
{
	struct stat status;

	return lstat(address_path(&sockets->addresses[index]), &status) == 0 &&
	       status.st_dev == sockets->paths[index].device &&
	       status.st_ino == sockets->paths[index].inode;
}

/* Paths of sockets that were passed are not this server's to remove. */
static void
remove_paths(struct sockets *sockets)
{
	for (unsigned i = 0; sockets->is_owner && i < sockets->address_count; i++)
		if (sockets->addresses[i].kind == ADDRESS_UNIX && sockets->shared[i] != -1 &&
			sockets->passed[i] == -1 && is_own_path(sockets, i))
			unlink(address_path(&sockets->addresses[i]));
	sockets->is_owner = false;
}

/* A seat's socket for an address. Returns it, or -1 with errno. */
static int
bind_at(struct sockets *sockets, unsigned index)
{
	int error;

	if (sockets->shared[index] != -1)
		return fcntl(sockets->shared[index], F_DUPFD_CLOEXEC, 3);
	error = claim_follow_port(sockets->addresses, index);
	if (error == 0)
		return bind_one(&sockets->addresses[index]);
	errno = error;
	return -1;
}

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

/* ---- opening ---- */

int
sockets_init(struct sockets *sockets, const struct address *addresses, unsigned address_count,
	int backlog)
{
	*sockets = (struct sockets){.address_count = address_count,
		.backlog = backlog,
		.roll_file = -1,
		.can_bind = true,
		.addresses = calloc(address_count, sizeof *sockets->addresses),
		.shared = calloc(address_count, sizeof *sockets->shared),
		.passed = calloc(address_count, sizeof *sockets->passed),
		.paths = calloc(address_count, sizeof *sockets->paths),
		.locks = calloc(address_count, sizeof *sockets->locks),
		.port_locks = calloc(address_count, sizeof *sockets->port_locks)};
	if (sockets->addresses == NULL || sockets->paths == NULL || sockets->shared == NULL ||
		sockets->passed == NULL || sockets->locks == NULL || sockets->port_locks == NULL) {
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

/* Leaves out what the machine does not have and its name can do without. Nothing is open yet but
 * what was passed. */
static void
leave_out_missing(struct sockets *sockets)
{
	for (unsigned i = sockets->address_count; i-- > 0;)
		if (sockets->shared[i] == -1 &&
			claim_can_spare(sockets->addresses, sockets->address_count, i))
			leave_out(sockets, i);
}

/* An earlier address of this server may have the same port. */
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
		/* One that was passed is this server's, whoever holds it besides. */
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

/* Gives the ports back that the kernel chose. Returns whether there are any. */
static bool
reopen_ports(struct sockets *sockets)
{
	bool has_open = false;

	for (unsigned i = 0; i < sockets->address_count; i++) {
		/* A chosen one is locked once it is certain. */
		if (sockets->locks[i] != -1)
			continue;
		address_set_port(&sockets->addresses[i], 0);
		has_open = true;
	}
	return has_open;
}

/* The first seat's sockets are bound to the ports that all others share. Returns 0, or -1 with
 * errno. */
static int
bind_first_seat(struct sockets *sockets)
{
	/* A port that was free at one address of a name may be taken at another. */
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

/* Whether siblings can be bound beside a socket that was passed. */
static bool
can_have_siblings(struct sockets *sockets, unsigned index)
{
	int on = 0, fd;
	socklen_t length = sizeof on;

	if (getsockopt(sockets->shared[index], SOL_SOCKET, SO_REUSEPORT, &on, &length) != 0 || !on)
		return false;
	fd = bind_one(&sockets->addresses[index]);
	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* The passed sockets become those of the first seat, where others can join them. */
static void
seat_passed(struct sockets *sockets)
{
	char text[ADDRESS_TEXT_SIZE];

	for (unsigned i = 0; i < sockets->address_count; i++) {
		if (sockets->shared[i] == -1 || sockets->addresses[i].kind == ADDRESS_UNIX)
			continue;
		if (can_have_siblings(sockets, i)) {
			close(sockets->seats[0].fds[i]);
			sockets->seats[0].fds[i] = sockets->shared[i];
			sockets->shared[i] = -1;
			continue;
		}
		address_format(&sockets->addresses[i], text);
		log_warning("the passed socket for %s cannot have siblings (it needs ReusePort=yes "
			    "and the same user): all hubs share it, without steering",
			text);
	}
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
	/* Port 0 has become a real one. */
	for (unsigned i = 0; i < sockets->address_count; i++)
		if (sockets->locks[i] == -1 &&
			(sockets->locks[i] = claim_address(&sockets->addresses[i])) == -1)
			return -1;
	/* One that was passed listens already, and is the first of its group. */
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

bool
sockets_take(struct sockets *sockets, int fd)
{
	struct address passed = {.length = sizeof passed.socket};
	int type = 0;
	socklen_t size = sizeof type;

	if (getsockname(fd, (struct sockaddr *)&passed.socket, &passed.length) != 0 ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
		return false;
	for (unsigned i = 0; i < sockets->address_count; i++) {
		const struct address *own = &sockets->addresses[i];

		if (sockets->shared[i] != -1 || own->length != passed.length ||
			memcmp(&own->socket, &passed.socket, own->length) != 0 ||
			(own->kind == ADDRESS_UDP) != (type == SOCK_DGRAM))
			continue;
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		set_flags(own, fd);
		sockets->shared[i] = sockets->passed[i] = fd;
		return true;
	}
	return false;
}

/* ---- listening ---- */

/* Whether a socket is this server's alone, and can be taken out of its group without being
 * closed. */
static bool
is_own(const struct sockets *sockets, const struct seat *seat, unsigned address)
{
	return sockets_is_in_group(sockets, address) &&
	       seat->fds[address] != sockets->passed[address];
}

/* Returns 0, or -1 with errno. */
static int
listen_on(const struct sockets *sockets, const struct seat *seat, unsigned address)
{
	switch (sockets->addresses[address].kind) {
	case ADDRESS_TCP:
		if (sockets->shared[address] != -1)
			return 0;
		break;
	case ADDRESS_UDP:
		return 0;
	case ADDRESS_UNIX:
		/* Again and again the same one. */
		break;
	}
	return listen(seat->fds[address], sockets->backlog);
}

/* Takes one socket out of its group. */
static void
shut(const struct sockets *sockets, const struct seat *seat, unsigned address)
{
	if (is_own(sockets, seat, address))
		shutdown(seat->fds[address], SHUT_RDWR);
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
		/* In all groups or in none. */
		error = errno;
		while (i-- > 0)
			shut(sockets, seat, i);
		errno = error;
		return -1;
	}
	seat->listens = true;
	sockets->order[sockets->listening++] = index;
	roll_write(sockets->roll, sockets->order, sockets->listening);
	return 0;
}

void
sockets_park(struct sockets *sockets, unsigned index)
{
	struct seat *seat = &sockets->seats[index];

	if (!seat->listens)
		return;
	for (unsigned i = 0; i < sockets->address_count; i++)
		shut(sockets, seat, i);
	seat->listens = false;
	for (unsigned at = 0; at < sockets->listening; at++) {
		if (sockets->order[at] != index)
			continue;
		sockets->order[at] = sockets->order[--sockets->listening];
		roll_write(sockets->roll, sockets->order, sockets->listening);
		break;
	}
}

unsigned
sockets_queued(const struct sockets *sockets, unsigned index)
{
	const struct seat *seat = &sockets->seats[index];
	unsigned queued = 0;

	for (unsigned i = 0; seat->listens && i < sockets->address_count; i++) {
		struct tcp_info info;
		socklen_t length = sizeof info;

		/* Of a listener the field is the length of its queue. */
		if (getsockopt(seat->fds[i], IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
			info.tcpi_state == TCP_LISTEN)
			queued += info.tcpi_unacked;
	}
	return queued;
}

void
sockets_forget(struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->seat_count; i++)
		sockets->seats[i].listens = false;
	sockets->listening = 0;
	sockets->is_owner = false;
}

/* Whether a seat is a member of the group now, which the master that wrote the roll may not have
 * lived to write. */
static bool
is_member(const struct sockets *sockets, unsigned index)
{
	for (unsigned i = 0; index < sockets->seat_count && i < sockets->address_count; i++) {
		const struct seat *seat = &sockets->seats[index];
		int listens = 0;
		socklen_t length = sizeof listens;

		if (is_own(sockets, seat, i))
			return getsockopt(seat->fds[i], SOL_SOCKET, SO_ACCEPTCONN, &listens,
				       &length) == 0 &&
			       listens != 0;
	}
	/* Without a TCP socket of its own it is in no group, and what the roll says holds. */
	return index < sockets->seat_count;
}

/* The kernel moves the last member into the place of one that leaves. If several have left, in an
 * order that is not known, it is not known either who was moved, unless all of them were the last
 * ones. */
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

/* Gives the queues that another master has made this one's length. The group stays as it is: to
 * listen again moves nobody in it. */
static void
resize_queues(const struct sockets *sockets)
{
	for (unsigned i = 0; i < sockets->listening; i++)
		for (unsigned address = 0; address < sockets->address_count; address++)
			if (listen_on(sockets, &sockets->seats[sockets->order[i]], address) != 0)
				log_warning("a queue cannot get the length of --backlog: %s",
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
	for (unsigned i = 0; i < sockets->listening; i++)
		sockets->seats[order[i]].listens = true;
	roll_write(sockets->roll, order, sockets->listening);
	resize_queues(sockets);
	sockets->is_owner = true;
	know_paths(sockets);
	return is_known;
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
sockets_deafen(struct sockets *sockets)
{
	/* Drops a SYN, which the client repeats after a second; what acknowledges one passes. A
	 * socket's filter sees the TCP header first. */
	static struct sock_filter drop_syn[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TCP_FLAG_SYN | TCP_FLAG_ACK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_FLAG_SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	static const struct sock_fprog program = {5, drop_syn};

	remove_paths(sockets);
	for (unsigned i = 0; i < sockets->listening; i++)
		for (unsigned address = 0; address < sockets->address_count; address++)
			if (is_own(sockets, &sockets->seats[sockets->order[i]], address))
				setsockopt(sockets->seats[sockets->order[i]].fds[address],
					SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* ---- closing ---- */

void
sockets_unlock_ports(struct sockets *sockets)
{
	close_all(sockets->port_locks, sockets->address_count);
}

void
sockets_close(struct sockets *sockets)
{
	remove_paths(sockets);
	for (unsigned i = 0; i < sockets->seat_count; i++)
		free_seat(sockets, &sockets->seats[i]);
	close_all(sockets->shared, sockets->address_count);
	close_all(sockets->locks, sockets->address_count);
	sockets_unlock_ports(sockets);
	free(sockets->addresses);
	free(sockets->shared);
	free(sockets->passed);
	free(sockets->paths);
	free(sockets->locks);
	free(sockets->port_locks);
	free(sockets->seats);
	free(sockets->order);
	roll_free(&sockets->roll);
	if (sockets->roll_file != -1)
		close(sockets->roll_file);
	*sockets = (struct sockets){.roll_file = -1};
}
