/* Interruption: what a coroutine's blocking calls fail with at once, because it was killed or a
 * scope has expired.
 *
 * A raw coroutine that was switched to runs on behalf of whoever switched to it, its driver: the
 * driver's kill and scopes count for it, too, and so on along the chain of drivers up to the first
 * shield. The field `fails_with` is what a coroutine's own kill and scopes say, as far as anybody
 * has looked. Nothing here wakes anybody. */
#ifndef HUBBUB_INTERRUPTION_PRIV_H
#define HUBBUB_INTERRUPTION_PRIV_H

#include <stdint.h>

#include "hub/base/inside.h"
#include "hub/record_priv.h"

/* Whoever is suspended in hub_switch because it switched to this one, which so runs on its behalf;
 * NULL if nobody is. The driver's kills and scopes reach what it drives. */
static inline struct hub_coroutine *
coroutine_driver(const struct hub_coroutine *coroutine)
{
	struct hub_coroutine *driver = coroutine->switched_from;
	bool drives = driver != NULL && driver->state == COROUTINE_SWITCHED &&
		      driver->switched_to == coroutine;

	return drives ? driver : NULL;
}

/* What a raw coroutine's blocking calls fail with at once on behalf of those who drive it, or 0:
 * EPERM where that is a callback of the loop. */
int coroutine_drivers_interrupt(const struct hub_coroutine *coroutine)
	HUB_INSIDE(coroutine_drivers_interrupt);

/* What blocking calls of the coroutine fail with at once: 0, ECANCELED or ETIMEDOUT; of a raw one
 * also EPERM. */
static inline int
coroutine_interrupted(const struct hub_coroutine *coroutine)
{
	if (__builtin_expect(coroutine->is_raw, 0) && coroutine->fails_with == 0 &&
		coroutine->shields == 0)
		return coroutine_drivers_interrupt(coroutine);
	return coroutine->fails_with;
}

/* The earliest deadline of the scopes of all who drive this one; INT64_MAX for none. */
int64_t coroutine_drivers_deadline(const struct hub_coroutine *coroutine);

/* Recomputes what the coroutine's blocking calls fail with, after a kill or a scope's change. */
void coroutine_update_interrupt(struct hub_coroutine *coroutine);

/* Marks the scopes of the coroutine that have expired by now. */
void coroutine_expire_scopes(struct hub_coroutine *coroutine, int64_t now);

/* The same for the coroutine and all who drive it. */
void coroutine_expire_drivers_too(struct hub_coroutine *coroutine, int64_t now);

#endif
