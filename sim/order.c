/* The order in which runnable coroutines run. The hub promises the order in which they became so;
 * what one look at the loop has found became so at the same time, and there any may be the first.
 * And a slice may end at each switch and at each call that might have waited, since coroutines are
 * as slow as they like: then the clock goes on, and the loop is polled. */
#include "sim/order_priv.h"

#include <stdlib.h>

#include "hub/chance_priv.h"
#include "hub/scheduler_priv.h"
#include "sim/world_priv.h"

/* A coroutine computes for less than 2 to the power of that, in nanoseconds: longer than any slice,
 * rarely. */
#define SLOW_BITS 25

/* In nanoseconds, at most. */
#define SWITCH_TAKES 400
#define SWITCHES_AT_ONCE 1024

/* A hub's last poll of its loop. */
struct poll {
	const struct hub *hub;
	uint64_t appended, taken; /* the hub's, when it began */
};

static struct poll *polls; /* one for each hub; owned */
static size_t poll_count;
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

/* The record of the hub's last poll. */
static struct poll *
poll_of(const struct hub *hub)
{
	size_t i = 0;

	while (i < poll_count && polls[i].hub != hub)
		i++;
	if (i == poll_count) {
		polls = realloc(polls, ++poll_count * sizeof *polls);
		CHECK_WHY(polls != NULL, "no memory for a simulated world");
		polls[i] = (struct poll){.hub = hub};
	}
	return &polls[i];
}

bool
order_polls(void)
{
	struct poll *poll = poll_of(hub_this);
	bool has_run = poll->taken != hub_this->taken;

	poll->appended = hub_this->appended;
	poll->taken = hub_this->taken;
	return has_run;
}

void
order_take(struct hub *hub)
{
	uint64_t first = hub->taken;

	if (first + 1 >= hub->batch || first < poll_of(hub)->appended ||
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
order_forget(const struct hub *hub)
{
	for (size_t i = 0; i < poll_count; i++)
		if (polls[i].hub == hub)
			polls[i--] = polls[--poll_count];
}

void
order_end(void)
{
	free(polls);
	polls = NULL;
	poll_count = 0;
	switches = 0;
}
