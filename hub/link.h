/* Links: being told of a coroutine's end without waiting for it. */
#ifndef HUBBUB_LINK_H
#define HUBBUB_LINK_H

#include <stddef.h>

#include "record.h"

HUBBUB_API_BEGIN

/* Has link->ended called when the coroutine ends, after the links that it has already; if it has
 * ended, before this returns.
 * Switches: no.  Ownership: link is borrowed until ended is called. Errors: none. */
void hub_link(struct hub_coroutine *coroutine, struct hub_link *link);

/* Takes back a link that has not been called; one that has is ignored.
 * Switches: no.  Errors: none. */
void hub_unlink(struct hub_coroutine *coroutine, struct hub_link *link);

/* What hub_wait_ended may be asked besides. */
enum hub_wait_flags {
	HUB_WAIT_FIRST_FAILURE = 1 /* return as soon as one of them has failed */
};

/* Waits until enough of the coroutines have ended; 0, or more than count, means all of them. Then
 * those that have ended stand first in the array, in the order of their ends, and *ended says how
 * many they are, also when this fails: so that a call with the rest of the array waits for the next
 * ones. It joins none: each is still to be joined (or detached), which then does not wait. One that
 * is detached, or that another coroutine joins, counts, too; its pointer is of no more use then.
 * Switches: yes, unless enough have ended.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK, EPERM or ENOMEM. */
int hub_wait_ended(struct hub_coroutine **coroutines, size_t count, size_t enough, unsigned flags,
	size_t *ended);

HUBBUB_API_END

#endif
