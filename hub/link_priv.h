/* Links for the library's own use: calling them at an end, and hub_wait_ended with a time limit. */
#ifndef HUBBUB_LINK_PRIV_H
#define HUBBUB_LINK_PRIV_H

#include "hub/link.h"

struct hub;

/* Calls and removes all links of the coroutine, which is ending. */
void links_tell(struct hub *hub, struct hub_coroutine *ended);

/* hub_wait_ended for at most that many nanoseconds: after them it fails with ETIMEDOUT, unless
 * enough coroutines have ended. */
int link_wait_ended(struct hub_coroutine **coroutines, size_t count, size_t enough, unsigned flags,
	int64_t nanoseconds, size_t *ended);

#endif
