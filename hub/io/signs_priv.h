/* Signs: what a descriptor shows besides being readable or writable, such as urgent bytes, a peer
 * that has ended its output, or a hang-up alone. The loop does not watch for these; an epoll set of
 * the hub's own does, and the loop watches the set. The set is edge-triggered: a sign that lasts,
 * such as an error queue that is not read, wakes no waiter twice. So a caller asks poll(2) before
 * it enters, and after each wake. */
#ifndef HUBBUB_IO_SIGNS_PRIV_H
#define HUBBUB_IO_SIGNS_PRIV_H

#include <poll.h>

#include "hub/io/entry_priv.h"
#include "hub/waiters_priv.h"

struct fd_sign {
	struct hub_waiter *waiters;
	uint32_t watched; /* events of epoll(7); 0 if the fd is not in the set */
};

/* Whether a wait for events of poll(2) needs more than the loop's watches for POLLIN and POLLOUT.
 * *signs becomes the events to watch for in the set. */
static inline bool
signs_are_asked(short events, short *signs)
{
	short known = POLLPRI | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP;

	/* Events that never come without POLLIN or POLLOUT. */
	if (events & POLLIN)
		known &= ~(POLLRDNORM | POLLRDBAND | POLLRDHUP);
	if (events & POLLOUT)
		known &= ~(POLLWRNORM | POLLWRBAND);
	*signs = events & known;
	return *signs != 0 || !(events & (POLLIN | POLLOUT));
}

/* Closes the set at the end of a hub. */
void signs_stop(struct hub *hub);

/* In a forked child: closes its copy of the set. */
void signs_abandon(struct hub *hub);

/* Puts the running coroutine into the fd's queue of signs. It then calls hub_suspend, and
 * signs_leave in any case. signs may be 0: hang-ups and errors always wake. Returns 0; or an errno,
 * with the coroutine not in the queue: ENOMEM, ENOSPC, ELOOP and others, as for a file that the
 * loop cannot watch. */
int signs_enter(struct hub *hub, struct hub_fd *entry, short signs, struct hub_waiter *waiter);
void signs_leave(struct hub *hub, struct hub_fd *entry, struct hub_waiter *waiter);

/* The first waiter; NULL for none. */
struct hub_waiter *signs_first(const struct hub *hub, const struct hub_fd *entry);

/* Wakes all waiters. */
void signs_wake(struct hub *hub, struct hub_fd *entry, int reason);

/* Removes the fd, which leaves the hub, from the set, and wakes its waiters. Keeps errno. */
void signs_forget(struct hub *hub, struct hub_fd *entry, int reason);

#endif
