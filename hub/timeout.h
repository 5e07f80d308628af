/* Timeout scopes: a deadline for all blocking calls between start and stop, in this coroutine; and
 * shields, inside of which kills and the scopes around do not count.
 *
 *	struct hub_timeout scope;
 *	hub_timeout_start(&scope, 2 * HUB_SECOND);
 *	... any calls ...
 *	if (hub_timeout_stop(&scope))
 *		... this very scope expired ...
 *
 * Scopes nest and are stopped in reverse order. An expired scope stays expired: until it is
 * stopped, every blocking call inside fails at once with ETIMEDOUT, so clean-up cannot hang. An
 * outer scope ends inner calls, too; hub_timeout_stop tells which scope expired. A scope also
 * applies to a generator or raw coroutine that blocks on behalf of the coroutine that started the
 * scope. */
#ifndef HUBBUB_TIMEOUT_H
#define HUBBUB_TIMEOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

HUBBUB_API_BEGIN

/* Starts a scope that expires after that many nanoseconds: never for HUB_FOREVER, at once for 0 or
 * less.
 * Switches: no.  Thread: a coroutine's.  Ownership: scope is borrowed until it is stopped. */
void hub_timeout_start(struct hub_timeout *scope, int64_t nanoseconds);

/* Stops the innermost scope, which must be this one. Keeps errno.
 * Switches: no.  Thread: the coroutine that started it.
 * Returns true if the scope had expired, that is, if a blocking call failed because of it or would
 * have. */
bool hub_timeout_stop(struct hub_timeout *scope);

/* Runs body(argument), in the calling coroutine, inside a scope of that many nanoseconds. Returns
 * body's result, or value if the scope expired, whatever body returned.
 * Switches: if body does.  Errors: none of its own. */
void *hub_with_timeout(int64_t nanoseconds, hub_fn *body, void *argument, void *value);

/* Starts a shield: until it is stopped, blocking calls do not fail because this coroutine was
 * killed or a scope around the shield expired. For clean-up that has to block; limit it by a scope
 * inside the shield.
 * Switches: no.  Thread: a coroutine's.  Ownership: shield is borrowed until it is stopped. */
void hub_shield_start(struct hub_timeout *shield);

/* Stops the innermost scope, which must be this shield; kills and deadlines that it held off count
 * again. Keeps errno. Switches: no.  Thread: the coroutine that started it. */
void hub_shield_stop(struct hub_timeout *shield);

HUBBUB_API_END

#endif
