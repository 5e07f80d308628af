/* Time is divided into windows. Each window records the most slots that were in use at once; what
 * exceeds the maximum of the last TRIM_WINDOWS windows is given back. The timer does a bounded
 * amount of work at each look and comes back soon while some is left. */
#include "hub/trim_priv.h"

#include <stdio.h>
#include <string.h>

#include "hub/base/allocator.h"
#include "hub/base/clock.h"
#include "hub/base/settings.h"
#include "hub/io/buffers_priv.h"
#include "hub/io/table_priv.h"
#include "hub/scheduler_priv.h"

/* Work of one look: some 200 us. If some is left, coroutines run and the timer comes back SOON. */
#define SWEEP_MOST 256
#define COOL_MOST 1
#define SOON (10 * CLOCK_MILLISECOND)
#define OUTSIDE_LEAST 1024 /* slots: below this peak trim_outside gives nothing back */

/* The allocator gives freed memory back with time, but only while the program allocates: so tell it
 * to decay, and in the last window to give back everything. */
static void
trim_allocator(bool is_last)
{
	unsigned arena;
	size_t size = sizeof arena;
	char name[32];

	if (mallctl == NULL || mallctl("thread.arena", &arena, &size, NULL, 0) != 0)
		return;
	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	snprintf(name, sizeof name, "arena.%u.%s", arena, is_last ? "purge" : "decay");
	mallctl(name, NULL, NULL, NULL, 0);
}

static const void *
parked_at(const struct stack *stack)
{
	return ((const struct hub_coroutine *)(const void *)stack)->context.sp;
}

static void
arm(struct hub *hub, int64_t nanoseconds)
{
	ev_timer_stop(hub->loop, &hub->trim.timer);
	ev_timer_set(&hub->trim.timer, clock_seconds(nanoseconds), 0.);
	ev_timer_start(hub->loop, &hub->trim.timer);
}

/* Begins a new window: the oldest one's peak is forgotten. */
static void
turn_window(struct hub *hub, int64_t now)
{
	struct trim *trim = &hub->trim;

	memmove(trim->peaks + 1, trim->peaks, sizeof trim->peaks - sizeof *trim->peaks);
	trim->peaks[0] = hub->arena.peak;
	hub->arena.peak = hub->arena.used;
	trim->began = now;
	trim->quiet++;
	trim->is_cooling = true;
	buffers_trim(hub);
	trim_allocator(trim->quiet > TRIM_WINDOWS);
}

static size_t
needed_lately(const struct hub *hub)
{
	size_t most = hub->arena.peak;

	for (int i = 0; i < TRIM_WINDOWS; i++)
		if (hub->trim.peaks[i] > most)
			most = hub->trim.peaks[i];
	return most;
}

/* The timer's callback: sweeps stacks, trims the table, ends a window, and gives free slots
 * back. */
static void
look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct trim *trim = CONTAINER_OF(timer, struct trim, timer);
	struct hub *hub = CONTAINER_OF(trim, struct hub, trim);
	int64_t now = hub->now = clock_now();
	bool has_more;

	(void)events;
	/* No coroutine runs while stacks lose pages below their frames. */
	CHECK(hub->loop == loop && hub->is_polling && hub->current == &hub->root);
	if (hub->arena.is_restless || trim->is_wanted)
		trim->quiet = 0;
	trim->is_wanted = false;
	has_more = stack_arena_sweep(&hub->arena, parked_at, SWEEP_MOST);
	/* Entries of descriptors are given back once they have been unused for this long. */
	fd_table_trim(hub, trim->window * (TRIM_WINDOWS - 1));
	if (now - trim->began >= trim->window)
		turn_window(hub, now);
	if (trim->is_cooling)
		trim->is_cooling = stack_arena_cool(&hub->arena, needed_lately(hub), COOL_MOST);
	if (has_more || trim->is_cooling)
		arm(hub, SOON < trim->look_every ? SOON : trim->look_every);
	else if (trim->quiet <= TRIM_WINDOWS)
		arm(hub, trim->look_every);
}

void
trim_prepare(struct hub *hub)
{
	hub->trim = (struct trim){.window = setting_number("HUBBUB_TRIM", 50, 86400000, 40000) *
					    CLOCK_MILLISECOND / TRIM_WINDOWS};
	hub->trim.look_every = hub->trim.window < CLOCK_SECOND ? hub->trim.window : CLOCK_SECOND;
	ev_timer_init(&hub->trim.timer, look, 0., 0.);
}

void
trim_start(struct hub *hub)
{
	DCHECK(!ev_is_active(&hub->trim.timer) && !hub->is_polling);
	hub->trim.began = clock_now();
	hub->trim.quiet = 0;
	arm(hub, hub->trim.look_every);
}

void
trim_stop(struct hub *hub)
{
	ev_timer_stop(hub->loop, &hub->trim.timer);
	stack_arena_cool(&hub->arena, 0, SIZE_MAX);
}

void
trim_outside(struct hub *hub)
{
	if (hub->loop != NULL || hub->arena.peak < OUTSIDE_LEAST ||
		hub->arena.used > hub->arena.peak / 4)
		return;
	stack_arena_cool(&hub->arena, 2 * hub->arena.used, SIZE_MAX);
	hub->arena.peak = hub->arena.used;
}
