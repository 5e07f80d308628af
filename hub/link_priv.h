#ifndef HUBBUB_LINK_PRIV_H
#define HUBBUB_LINK_PRIV_H

#include "hub/link.h"

struct hub;

/* Calls and forgets the links of the running coroutine, which ends. */
void links_tell(struct hub *hub, struct hub_coroutine *ended);

/* hub_wait_ended, for so long at most: then it fails with ETIMEDOUT, unless enough have ended. */
int link_wait_ended(struct hub_coroutine **coroutines, size_t count, size_t enough, unsigned flags,
	int64_t nanoseconds, size_t *ended);

#endif
