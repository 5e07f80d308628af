/* Interruption: the error with which a coroutine's blocking calls fail at once, because it was
 * killed or a scope has expired.
 *
 * A raw coroutine that was switched to runs on behalf of the coroutine that switched to it, its
 * driver. The driver's kill and scopes count for the raw coroutine, too, and so on along the chain
 * of drivers up to the first shield. The field `fails_with` holds only what a coroutine's own kill
 * and scopes say, as of the last time that deadlines were looked at. Nothing here wakes a
 * coroutine. */
#ifndef HUBBUB_INTERRUPTION_PRIV_H
#define HUBBUB_INTERRUPTION_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/inside.h"
#include "hub/record_priv.h"

/* The driver of the coroutine: the one that is suspended in hub_switch because it switched to this
 * coroutine; NULL if there is none. */
static inline struct hub_coroutine *
coroutine_driver(const struct hub_coroutine *coroutine)
{
	struct hub_coroutine *driver = coroutine->switched_from;
	bool drives = driver != NULL && driver->state == COROUTINE_SWITCHED &&
		      driver->switched_to == coroutine;

	return drives ? driver : NULL;
}

/* The error with which a raw coroutine's blocking calls fail at once because of its drivers, or 0;
 * EPERM if a driver is a callback of the loop, whatever shields there are. */
int coroutine_drivers_interrupt(const struct hub_coroutine *coroutine)
	HUB_INSIDE(coroutine_drivers_interrupt);

/* Whether no driver of the coroutine is a callback of the loop. */
bool coroutine_can_wait(const struct hub_coroutine *coroutine) HUB_INSIDE(coroutine_can_wait);

/* The error with which the coroutine's blocking calls fail at once: 0, ECANCELED or ETIMEDOUT; for
 * a raw coroutine also EPERM. */
static inline int
coroutine_interrupted(const struct hub_coroutine *coroutine)
{
	if (__builtin_expect(coroutine->is_raw, 0) && coroutine->fails_with == 0)
		return coroutine_drivers_interrupt(coroutine);
	return coroutine->fails_with;
}

/* The earliest deadline of the scopes of all drivers; INT64_MAX for none. */
int64_t coroutine_drivers_deadline(const struct hub_coroutine *coroutine);

/* What the coroutine's own kill and scopes say: the value of fails_with. */
int coroutine_own_interrupt(const struct hub_coroutine *coroutine);

/* Recomputes fails_with, after a kill or a change of scopes. */
void coroutine_update_interrupt(struct hub_coroutine *coroutine);

/* Marks the coroutine's scopes whose deadline has passed. */
void coroutine_expire_scopes(struct hub_coroutine *coroutine, int64_t now);

/* The same for the coroutine and all its drivers. */
void coroutine_expire_drivers_too(struct hub_coroutine *coroutine, int64_t now);

#endif
