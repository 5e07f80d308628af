/* The limits of connections per peer address (--max-per-peer, --max-new-per-peer). */
#ifndef HUBBUB_WORKER_PER_PEER_H
#define HUBBUB_WORKER_PER_PEER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "worker/heritage.h"

struct listened;
struct tally_cell;
struct worker_thread;

/* Whether there is such a limit. */
static inline bool
per_peer_is_limited(const struct worker_settings *settings)
{
	return (settings->per_peer.open | settings->per_peer.fresh) != 0;
}

/* Counts a connection for its peer: named is the address in a PROXY header, or NULL for the
 * kernel's. Returns false if the peer may have no further one: then the connection is counted and
 * logged as refused, also for its listener, and the caller closes it. *cell becomes what
 * tally_leave takes at the end of the connection; NULL if it is not counted: it came over a Unix
 * socket, is the proxy's own, or has ended already. Switches: no. */
bool per_peer_enter(const struct worker_thread *thread, struct listened *listener, int client,
	const struct sockaddr_storage *named, struct tally_cell **cell);

#endif
