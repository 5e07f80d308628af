/* Links: callbacks at a coroutine's end, without waiting for it. */
#ifndef HUBBUB_LINK_H
#define HUBBUB_LINK_H

#include <stddef.h>

#include "record.h"

HUBBUB_API_BEGIN

/* Makes the coroutine's end call link->ended, after the links that were added before. If the
 * coroutine has ended already, link->ended is called before this returns.
 * Switches: no.  Ownership: link is borrowed until ended is called. Errors: none. */
void hub_link(struct hub_coroutine *coroutine, struct hub_link *link);

/* Removes a link that has not been called; a link that was called is ignored.
 * Switches: no.  Errors: none. */
void hub_unlink(struct hub_coroutine *coroutine, struct hub_link *link);

/* Flags of hub_wait_ended. */
enum hub_wait_flags {
	HUB_WAIT_FIRST_FAILURE = 1 /* return as soon as one of the coroutines has failed */
};

/* Waits until enough of the coroutines have ended; enough 0, or more than count, means all. Then
 * the coroutines that have ended stand first in the array, in the order of their ends, and *ended
 * is their number, also when this fails: a call with the rest of the array waits for the next ends.
 * It joins none: each coroutine must still be joined (or detached), which then does not wait. A
 * coroutine that is detached, or that another coroutine joins, counts, too; its pointer is invalid
 * after its end.
 * Switches: yes, unless enough have ended.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK, EPERM or ENOMEM. */
int hub_wait_ended(struct hub_coroutine **coroutines, size_t count, size_t enough, unsigned flags,
	size_t *ended);

HUBBUB_API_END

#endif
