/* The clocks of a host. They run as the world's does, or a little faster or slower, and each host's
 * otherwise (options->drift); CLOCK_REALTIME jumps (options->jump). CLOCK_MONOTONIC never goes
 * back. */
#ifndef HUBBUB_SIM_CLOCK_PRIV_H
#define HUBBUB_SIM_CLOCK_PRIV_H

#include <stdint.h>

#include "sim/world/world_priv.h"

struct clock {
	int64_t since;     /* when its pace has changed, in the world's time */
	int64_t shown;     /* what it showed then, beside the world's time */
	int64_t pace;      /* what it gains on the world's in 2^30 ns */
	int64_t changes;   /* when the pace changes next */
	int64_t jumped_by; /* CLOCK_REALTIME, ever */
};

/* CLOCK_MONOTONIC where clocks drift. */
int64_t clock_drifting(struct clock *clock);

/* What they show. */
static inline int64_t
clock_monotonic(struct clock *clock)
{
	return world_options()->drift == 0 ? world_now() : clock_drifting(clock);
}

int64_t clock_real(struct clock *clock);

/* CLOCK_REALTIME jumps, as if somebody had set it. */
void clock_jump(struct clock *clock, int64_t by);

/* Called when one has jumped: timer.c's. NULL: nobody asks. */
extern void (*clock_jumps)(const struct clock *clock, int64_t by);

/* CLOCK_MONOTONIC, without that anything changes: whoever looks may look as often as he likes. */
int64_t clock_coarse(const struct clock *clock);

/* What CLOCK_REALTIME shows more than CLOCK_MONOTONIC. */
int64_t clock_ahead(const struct clock *clock);

/* The world's time at which CLOCK_MONOTONIC shows that, or at which to ask again; INT64_MAX:
 * never. */
int64_t clock_shows_at(const struct clock *clock, int64_t time);

#endif
