/* The listening sockets of the whole server: one per address, worker and hub, all in the master,
 * which keeps them while workers come and go, so that what is queued on them survives a worker. */
#ifndef HUBBUB_MASTER_SOCKETS_H
#define HUBBUB_MASTER_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "master/address.h"

struct sockets {
	struct address *addresses; /* with the port that was really bound; owned */
	unsigned address_count;
	unsigned workers;
	unsigned hubs; /* per worker */
	int backlog;
	int *fds;        /* [worker][hub][address]; -1 once closed */
	bool *listens;   /* the same shape */
	int *locks;      /* [address]: held while this server owns the address */
	int *port_locks; /* [address]: held until this server listens; see sockets_unlock_ports */
};

/* Locks each address against a second copy, checks that nobody else listens on it, and binds all
 * sockets; none listens yet. Returns 0, or -1 after logging one line that says what to do. */
int sockets_open(struct sockets *sockets, const struct address *addresses, unsigned address_count,
	unsigned workers, unsigned hubs, int backlog);

/* The sockets of one worker: hubs * address_count of them. */
const int *sockets_of_worker(const struct sockets *sockets, unsigned worker);

/* Makes one hub's sockets listen, if they do not yet. The master alone does this, as hubs report
 * that they run: the order of these calls is the order of the members in the kernel's group.
 * Returns 0, or -1 with errno. */
int sockets_listen(struct sockets *sockets, unsigned worker, unsigned hub);

/* Lets other servers start on the same ports, at other addresses; once one socket of each
 * address listens. */
void sockets_unlock_ports(struct sockets *sockets);

/* Closes one hub's sockets; what is queued on them is reset. */
void sockets_close_hub(struct sockets *sockets, unsigned worker, unsigned hub);

/* Closes all and frees what sockets owns. */
void sockets_close(struct sockets *sockets);

#endif
