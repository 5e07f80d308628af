/* Timeout scopes: a deadline for all blocking calls between start and stop, in this coroutine.
 *
 *	struct hub_timeout scope;
 *	hub_timeout_start(&scope, 2 * HUB_SECOND);
 *	... any calls ...
 *	if (hub_timeout_stop(&scope))
 *		... this very scope expired ...
 *
 * Scopes nest and are stopped in reverse order. An expired scope stays expired: every blocking call
 * inside fails at once with ETIMEDOUT, until it is stopped, so that clean-up cannot hang. An outer
 * scope ends inner calls too; which one expired, hub_timeout_stop tells. A scope reaches into a
 * generator or raw coroutine that blocks on behalf of the one that started it. */
#ifndef HUBBUB_TIMEOUT_H
#define HUBBUB_TIMEOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"

HUBBUB_API_BEGIN

/* Lives in the caller's memory while started, usually on its stack. The fields are the library's. */
struct hub_timeout {
	struct hub_timeout *outer; /* the scope around this one */
	int64_t deadline;          /* of this scope */
	int64_t earliest;          /* of this scope and all around it that have not expired */
	bool expired;
};

/* Starts a scope that expires after that many nanoseconds; HUB_FOREVER never does, 0 or less has.
 * Switches: no.  Thread: a coroutine's.  Ownership: scope is borrowed until it is stopped. */
void hub_timeout_start(struct hub_timeout *scope, int64_t nanoseconds);

/* Stops the innermost scope, which must be this one. Keeps errno.
 * Switches: no.  Thread: the coroutine that started it.
 * Returns true if the scope had expired, that is, if it made a blocking call fail or would have. */
bool hub_timeout_stop(struct hub_timeout *scope);

HUBBUB_API_END

#endif
