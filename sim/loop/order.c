/* The order in which runnable coroutines run. The hub promises the order in which they became so;
 * what one look at the loop has found became so at the same time, and there any may be the first.
 * And a slice may end at each switch and at each call that might have waited, since coroutines are
 * as slow as they like: then the clock goes on, and the loop is polled. */
#include "sim/loop/order_priv.h"

#include "hub/chance_priv.h"
#include "hub/scheduler_priv.h"
#include "sim/loop/loop_record_priv.h"
#include "sim/world/world_priv.h"

/* A coroutine computes for less than 2 to the power of that, in nanoseconds: longer than any slice,
 * rarely. */
#define SLOW_BITS 25

/* In nanoseconds, at most. */
#define SWITCH_TAKES 400
#define SWITCHES_AT_ONCE 1024

static unsigned switches; /* since time has passed for them */

/* Makes the coroutine behind so many others the first of the run queue. */
static void
bring_forward(struct hub *hub, uint64_t others)
{
	struct hub_coroutine *before = hub->ready_first, *chosen;

	while (--others > 0)
		before = before->next;
	chosen = before->next;
	before->next = chosen->next;
	if (chosen == hub->ready_last)
		hub->ready_last = before;
	chosen->next = hub->ready_first;
	hub->ready_first = chosen;
}

bool
order_polls(struct ev_loop *loop)
{
	bool has_run = loop->taken != hub_this->taken;

	loop->appended = hub_this->appended;
	loop->taken = hub_this->taken;
	return has_run;
}

void
order_take(struct hub *hub)
{
	uint64_t first = hub->taken;

	if (first + 1 >= hub->batch || first < hub->loop->appended ||
		!world_chance(world_options()->reordered))
		return;
	bring_forward(hub, 1 + world_draw(hub->batch - first - 1));
}

void
chance_of_tick(struct hub *hub)
{
	/* Time passes for those who only switch, too: now and then, since that is cheap. */
	if (++switches == SWITCHES_AT_ONCE) {
		switches = 0;
		world_tick(SWITCHES_AT_ONCE * SWITCH_TAKES);
	}
	if (!world_chance(world_options()->reordered))
		return;
	world_tick((int64_t)world_draw_wide(SLOW_BITS));
	hub_count_ticks(hub, 1);
}

void
order_end(void)
{
	switches = 0;
}
