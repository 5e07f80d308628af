/* The listening sockets of the whole server. The master holds all of them while workers come and
 * go, so that connections in their queues outlive a worker.
 *
 * A seat is the place of one hub: a socket for each address. Seats are bound in advance; a TCP
 * socket enters the kernel's SO_REUSEPORT group of its address when it listens. The steering
 * program names members by their index in the group, which is the sequence in which they began to
 * listen; `order` mirrors it:
 *
 *	seat      0     1     2     3     4 ...        order: 0 2 1
 *	        listens     listens   bound  bound
 *	             listens
 *
 * sockets_leave_group takes a seat out of the group. The kernel moves the last member into its
 * place, and so does order.
 *
 * A datagram socket is a member from its bind on, for good. So its index is the seat's number, and
 * the steering program alone keeps datagrams away from seats without a hub. A Unix socket's path
 * has one listening socket; every seat holds a duplicate of it. */
#ifndef HUBBUB_SOCKETS_SOCKETS_H
#define HUBBUB_SOCKETS_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "master/sockets/address.h"
#include "master/sockets/path_identity.h"
#include "master/sockets/roll.h"
#include "master/sockets/steering.h"

#define SOCKETS_SEATS_MAX STEERING_MEMBERS_MAX
/* The error when a change asks for more seats than SOCKETS_SEATS_MAX. */
#define SOCKETS_SEATS_WHY_(most) "more than " #most " hubs are not supported"
#define SOCKETS_SEATS_WHY(most) SOCKETS_SEATS_WHY_(most)
#define SOCKETS_TOO_MANY SOCKETS_SEATS_WHY(SOCKETS_SEATS_MAX)

/* The sockets of one hub. */
struct seat {
	int *fds;     /* one per address; owned */
	bool listens; /* its TCP sockets are members of their groups */
};

/* Written by these files, and by the handover, which fills it in a new master; main.c sets
 * can_bind. */
struct sockets {
	struct address *addresses; /* with the port that was bound, also for port 0; owned */
	unsigned address_count;
	int backlog;   /* of each TCP and Unix socket, as listen(2) takes it */
	bool can_bind; /* false once privileges are dropped: a group has one uid */
	bool is_owner; /* no other master has them: files are this one's to remove */
	/* [address]: the one socket of which all seats hold duplicates: a Unix socket, or a passed
	 * socket beside which no other can be bound (no SO_REUSEPORT, or another user's). Else
	 * -1. */
	int *shared;
	/* [address]: the socket that a service manager passed, whether shared or a seat's, or -1.
	 * This server never shuts it down. */
	int *passed;
	struct path_identity *paths; /* [address]: the file that bind made */
	bool *lost;                  /* [address]: that file is gone, and that was logged */
	int *locks; /* [address]: fd of the lock, or -1; held while this server owns the address */
	int *port_locks; /* [address]: the same; held until sockets_unlock_ports */
	struct seat *seats;
	unsigned seat_count;
	unsigned refused;   /* index of the address for which binding failed last */
	unsigned *order;    /* [index in the group]: the seat; room for seat_count */
	unsigned listening; /* seats in order */
	uint64_t changes;   /* of order, so far */
	int waiting;        /* the epoll set of queues.h, owned; -1: none, each socket is asked */
	struct roll *roll;  /* a copy of order for the next master; NULL before sockets_open */
	int roll_file;      /* the roll's memfd, owned; -1 without */
};

/* Prepares for these addresses, which it copies; opens nothing. Returns 0, or -1 after logging that
 * memory ran out. */
int sockets_init(struct sockets *sockets, const struct address *addresses, unsigned address_count,
	int backlog);

/* Logs each Unix socket whose file was removed or replaced, once. sockets_look_again logs also
 * those that were logged before. Neither does anything in a master that is not the owner. */
void sockets_look(struct sockets *sockets);
void sockets_look_again(struct sockets *sockets);

/* Notes the identity of each Unix socket's file, unless it is known already. */
void sockets_know_paths(struct sockets *sockets);

/* Removes the files of this server's Unix sockets, once. Files of passed sockets stay, and so do
 * those that were replaced, or that another master owns. */
void sockets_remove_paths(struct sockets *sockets);

/* Locks each address against a second server, checks that no other process listens on it, and binds
 * so many seats, none of which listens yet (but the first, if sockets were passed). An address that
 * the machine does not have is left out, with a warning, if its name has others. All addresses of a
 * name with port 0 get the same port. May block for some seconds. Returns 0, or -1 after logging a
 * line that says what to do. */
int sockets_open(struct sockets *sockets, unsigned seats);

/* Returns the index of the address that a passed socket is bound to, or -1. */
int sockets_find(const struct sockets *sockets, int fd);

/* Takes a passed socket for that address, and owns it from now on; comes before sockets_open. It
 * becomes the first seat's socket, or is shared by all seats if no other can be bound beside it. */
void sockets_take(struct sockets *sockets, unsigned address, int fd);

/* Binds seats until there are so many. Returns 0, or -1 with errno and no seat more: EPERM once
 * privileges are dropped, EINVAL for more than SOCKETS_SEATS_MAX, ENOMEM, or what bind(2) says,
 * with `refused` set. */
int sockets_grow(struct sockets *sockets, unsigned seats);

/* Closes seats from the last one down, until there are so many, or one listens. No hub may use
 * these seats any more. Does nothing once privileges are dropped, because the seats could not be
 * bound again. */
void sockets_shrink(struct sockets *sockets, unsigned seats);

/* Makes a seat listen, if it does not yet, and appends it to order. Returns 0, or -1 with errno;
 * then it listens on no address. */
int sockets_listen(struct sockets *sockets, unsigned index);

/* Takes a seat out of the groups. The kernel resets the connections that are queued there, so its
 * queues should be empty. */
void sockets_leave_group(struct sockets *sockets, unsigned index);

/* How many connections wait in all of a seat's TCP queues, or in that of one address; 0 if it does
 * not listen. */
unsigned sockets_queued(const struct sockets *sockets, unsigned index);
unsigned sockets_queued_at(const struct sockets *sockets, unsigned index, unsigned address);

/* Finds how many connections wait in all of each seat's TCP queues: queued[i] is of seat i. */
void sockets_measure(const struct sockets *sockets, unsigned *queued);

/* How many connections may wait at a TCP listener: the least of all listeners, each as the kernel
 * cut its backlog when it began to listen. 0 if there is no listener, or the kernel does not
 * tell. */
unsigned sockets_backlog(const struct sockets *sockets);

/* The groups belong to another master from now on: this one does not change them any more. */
void sockets_forget(struct sockets *sockets);

/* Takes the groups over from another master, as the roll describes them, and gives their queues
 * this master's backlog. Returns false if the sequence of the members is not certain, or memory ran
 * out: then connections must not be steered by it. */
bool sockets_own(struct sockets *sockets);

/* Closes all sockets and locks, after sockets_forget; the addresses themselves are still known. */
void sockets_release(struct sockets *sockets);

/* Drops each new SYN on every seat, and removes the files of Unix sockets; handshakes that have
 * begun go on. For the end of the server, when no other member of a group takes connections
 * over. */
void sockets_drop_syns(struct sockets *sockets);

/* Lets other servers start on the same ports of other addresses. Call it once a socket of each
 * address listens. */
void sockets_unlock_ports(struct sockets *sockets);

/* Whether each seat has its own TCP socket for that address, a member of the kernel's group, and
 * not a duplicate of a shared one. */
static inline bool
sockets_is_in_group(const struct sockets *sockets, unsigned address)
{
	return sockets->addresses[address].kind == ADDRESS_TCP && sockets->shared[address] == -1;
}

/* Returns the sockets of the seats from first on, seat by seat, each seat's address by address.
 * (*kept)[i] tells whether a service manager also holds socket i. Both lie in one allocation, which
 * the caller frees by the return value. NULL if out of memory. */
int *sockets_list(const struct sockets *sockets, unsigned first, unsigned seats, const bool **kept);

/* Whether a service manager also holds the seat's socket for that address, and with it the
 * connections in its queue. */
static inline bool
sockets_is_kept(const struct sockets *sockets, unsigned seat, unsigned address)
{
	return sockets->passed[address] != -1 &&
	       (sockets->shared[address] != -1 ||
		       sockets->seats[seat].fds[address] == sockets->passed[address]);
}

/* Removes the files of Unix sockets if this master is the owner, closes all sockets and locks, and
 * frees all memory. */
void sockets_close(struct sockets *sockets);

#endif
