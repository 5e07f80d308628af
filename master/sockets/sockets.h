/* The listening sockets of the whole server, all in the master, which keeps them while workers come
 * and go, so that what is queued on them survives a worker.
 *
 * A seat is the place of one hub: a socket for each address. Seats are bound in advance and enter
 * the kernel's group of an address when they listen; the order in which they did is the index that
 * the steering program uses:
 *
 *	seat      0     1     2     3     4 ...        order: 0 2 1
 *	        listens     listens   bound  bound
 *	             listens
 *
 * Parking a seat takes it out of the group again; the kernel then moves the last member into its
 * place, and so does order.
 *
 * A datagram socket is a member from when it is bound, for good, so there the index is the seat's
 * number, and the steering program alone keeps datagrams away from seats on which nobody sits. Of a
 * path there is one socket, which all seats share. */
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
/* Why no more are to be had. */
#define SOCKETS_SEATS_WHY_(most) "more than " #most " hubs are not supported"
#define SOCKETS_SEATS_WHY(most) SOCKETS_SEATS_WHY_(most)
#define SOCKETS_TOO_MANY SOCKETS_SEATS_WHY(SOCKETS_SEATS_MAX)

struct seat {
	int *fds; /* one per address; owned */
	bool listens;
};

struct sockets {
	struct address *addresses; /* with the port that was really bound; owned */
	unsigned address_count;
	int backlog;
	bool can_bind; /* false once privileges are dropped: the group needs one uid */
	bool is_owner; /* no other master has them: paths are this one's to remove */
	/* [address]: the one socket of a path, or one that was passed to this server and cannot
	 * have siblings, because it belongs to another user; or -1. All seats hold duplicates of
	 * it. */
	int *shared;
	/* [address]: the socket that was passed, whatever became of it, or -1: it is not this
	 * server's to shut. */
	int *passed;
	struct path_identity *paths; /* [address]: which file its path was, when it was bound */
	bool *lost;                  /* [address]: that file is gone, and that was said */
	int *locks;                  /* [address]: held while this server owns the address */
	int *port_locks; /* [address]: held until this server listens; see sockets_unlock_ports */
	struct seat *seats;
	unsigned seat_count;
	unsigned refused; /* the address for which binding failed last */
	unsigned *order;  /* seats that listen, as the kernel counts them */
	unsigned listening;
	struct roll *roll; /* the same for the next master; NULL before sockets_open */
	int roll_file;     /* -1 without */
};

/* Prepares for these addresses; opens nothing. Returns 0, or -1 after logging. */
int sockets_init(struct sockets *sockets, const struct address *addresses, unsigned address_count,
	int backlog);

/* Logs which Unix sockets' files were removed, or are another's, each once; and again, also those
 * that were told before. */
void sockets_look(struct sockets *sockets);
void sockets_look_again(struct sockets *sockets);

/* Takes note of which files the paths are, unless that is known. */
void sockets_know_paths(struct sockets *sockets);

/* Removes those files, if they are this server's: not of sockets that were passed, nor once another
 * master has them. */
void sockets_remove_paths(struct sockets *sockets);

/* Locks each address against a second copy, checks that nobody else listens on it, and binds so
 * many seats; none listens yet. An address that the machine does not have is left out, with a
 * warning, where it is one of several of a name; those of a name with port 0 get one port. Returns
 * 0, or -1 after logging one line that says what to do. */
int sockets_open(struct sockets *sockets, unsigned seats);

/* The address to which a socket that was passed to this server is bound, or -1. */
int sockets_find(const struct sockets *sockets, int fd);

/* Uses it for that address, before sockets_open, and owns it. It becomes that of the first seat, or
 * is shared by all if no other can be bound beside it. */
void sockets_take(struct sockets *sockets, unsigned address, int fd);

/* Binds more seats, if there are fewer. Returns 0, or -1 with errno and no seat more; EPERM after
 * privileges were dropped. */
int sockets_grow(struct sockets *sockets, unsigned seats);

/* Closes the last seats again, down to so many or to the last one that listens; none once
 * privileges were dropped, because they could not be bound again. No hub may have them any more. */
void sockets_shrink(struct sockets *sockets, unsigned seats);

/* Makes a seat listen, if it does not yet. Returns 0, or -1 with errno. */
int sockets_listen(struct sockets *sockets, unsigned seat);

/* Takes a seat out of the group. Who is queued there is reset, so it should be empty. */
void sockets_leave_group(struct sockets *sockets, unsigned seat);

/* How many connections wait in a seat's queues, and in that of one address. */
unsigned sockets_queued(const struct sockets *sockets, unsigned seat);
unsigned sockets_queued_at(const struct sockets *sockets, unsigned seat, unsigned address);

/* How many connections may wait at a TCP listener, the least of all that listen, as the kernel has
 * cut it when it began to listen; 0 if it does not tell, or there is none. */
unsigned sockets_backlog(const struct sockets *sockets);

/* The group is another master's from now on: nothing here changes it any more. */
void sockets_forget(struct sockets *sockets);

/* The group is this master's from now on, as the one before has left it; its queues get this
 * master's backlog. Returns whether its order is known for sure. */
bool sockets_own(struct sockets *sockets);

/* After sockets_forget: closes all and gives the addresses up; what they are is still known. */
void sockets_release(struct sockets *sockets);

/* From now on no connection begins on any seat; handshakes that have begun go on, and paths are
 * gone. For the end, when no other member of the group can take over. */
void sockets_drop_syns(struct sockets *sockets);

/* Lets other servers start on the same ports, at other addresses; once one socket of each
 * address listens. */
void sockets_unlock_ports(struct sockets *sockets);

/* Whether each seat has a TCP socket of its own for that address, a member of the kernel's group,
 * and not a duplicate of one that all share. */
static inline bool
sockets_is_in_group(const struct sockets *sockets, unsigned address)
{
	return sockets->addresses[address].kind == ADDRESS_TCP && sockets->shared[address] == -1;
}

/* The sockets of so many seats, address by address; *kept, which of them a service manager has,
 * too, in the same memory, which is the caller's to free. NULL without memory. */
int *sockets_list(const struct sockets *sockets, unsigned first, unsigned seats, const bool **kept);

/* Whether a service manager has the seat's socket for that address, too, and with it what is queued
 * there. */
static inline bool
sockets_is_kept(const struct sockets *sockets, unsigned seat, unsigned address)
{
	return sockets->passed[address] != -1 &&
	       (sockets->shared[address] != -1 ||
		       sockets->seats[seat].fds[address] == sockets->passed[address]);
}

/* Closes all and frees what sockets owns. */
void sockets_close(struct sockets *sockets);

#endif
