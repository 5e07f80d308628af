/* What descriptors show besides being readable or writable: urgent bytes, a peer that has ended its
 * output, a hang-up alone. The loop does not watch for these; an epoll set of the hub's own does,
 * and the loop watches the set. It is edge-triggered: a sign that lasts, such as an error queue
 * that nobody reads, wakes nobody twice. So whoever enters asks poll(2) then, and after each
 * wake. */
#ifndef HUBBUB_IO_SIGNS_PRIV_H
#define HUBBUB_IO_SIGNS_PRIV_H

#include <poll.h>

#include "hub/io/entry_priv.h"
#include "hub/waiters_priv.h"

struct fd_sign {
	struct hub_waiter *waiters;
	uint32_t watched; /* events of epoll(7); 0 if it is not in the set */
};

/* Whether a wait for events of poll(2) needs more than the loop's watching for POLLIN and
 * POLLOUT. *signs becomes what is to be watched for. */
static inline bool
signs_are_asked(short events, short *signs)
{
	short known = POLLPRI | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP;

	/* What never comes alone. */
	if (events & POLLIN)
		known &= ~(POLLRDNORM | POLLRDBAND | POLLRDHUP);
	if (events & POLLOUT)
		known &= ~(POLLWRNORM | POLLWRBAND);
	*signs = events & known;
	return *signs != 0 || !(events & (POLLIN | POLLOUT));
}

void signs_stop(struct hub *hub);

/* In a child: closes its copy of the set. */
void signs_abandon(struct hub *hub);

/* Enters the running coroutine, which then calls hub_suspend, and signs_leave in any case. signs
 * may be none: hang-ups and errors are always told. Returns 0, or an errno, and it is not entered:
 * ENOMEM, ENOSPC, ELOOP and others, as of what the loop cannot watch. */
int signs_enter(struct hub *hub, struct hub_fd *entry, short signs, struct hub_waiter *waiter);
void signs_leave(struct hub *hub, struct hub_fd *entry, struct hub_waiter *waiter);

/* The first who waits; NULL for nobody. */
struct hub_waiter *signs_first(const struct hub *hub, const struct hub_fd *entry);

/* Wakes all who wait. */
void signs_wake(struct hub *hub, struct hub_fd *entry, int reason);

/* The entry's descriptor leaves the hub. Keeps errno. */
void signs_forget(struct hub *hub, struct hub_fd *entry, int reason);

#endif
