/* What pools and nurseries have in common; nothing to be called. */
#ifndef HUBBUB_SYNC_GROUP_H
#define HUBBUB_SYNC_GROUP_H

#include <stddef.h>

#include "../coroutine.h"

struct hub_waiter;

/* Coroutines that live. The fields are the library's. */
struct hub_group {
	struct hub_coroutine *first; /* the first one's previous is the last */
	size_t count;
	struct hub_waiter *waiters; /* for it to be empty */
	void (*child_ended)(struct hub_group *group, struct hub_coroutine *child);
};

#endif
