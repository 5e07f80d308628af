/* A pace lasts for a time that is drawn, and is looked at whenever somebody looks at the clock: so
 * nothing has to happen for a clock that nobody looks at. */
#include "sim/machine/clock_priv.h"

#include "sim/world/world_priv.h"

#define WHOLE (INT64_C(1) << 30)
#define PACE_BITS 36 /* of nanoseconds: one lasts less than 69 s */
#define JUMP_BITS 43 /* less than 2.5 hours */

/* What the clock has gained since its pace has changed. */
static int64_t
gained(const struct clock *clock, int64_t passed)
{
	return (int64_t)((__int128)passed * clock->pace / WHOLE);
}

static void
change_pace(struct clock *clock)
{
	unsigned drift = world_options()->drift > 2 ? world_options()->drift : 2;
	int64_t now = world_now(), most = WHOLE / drift;

	clock->shown += gained(clock, now - clock->since);
	clock->since = now;
	clock->pace = (int64_t)world_draw((uint64_t)(2 * most + 1)) - most;
	clock->changes = now + 1 + (int64_t)world_draw_wide(PACE_BITS);
}

int64_t
clock_coarse(const struct clock *clock)
{
	return world_now() + clock->shown + gained(clock, world_now() - clock->since);
}

int64_t
clock_drifting(struct clock *clock)
{
	if (clock->changes <= world_now())
		change_pace(clock);
	return clock_coarse(clock);
}

int64_t
clock_ahead(const struct clock *clock)
{
	return WORLD_EPOCH + clock->jumped_by;
}

void (*clock_jumps)(const struct clock *clock, int64_t by);

void
clock_jump(struct clock *clock, int64_t by)
{
	clock->jumped_by += by;
	if (clock_jumps != NULL)
		clock_jumps(clock, by);
}

int64_t
clock_real(struct clock *clock)
{
	if (world_chance(world_options()->jump)) {
		int64_t by = (int64_t)world_draw_wide(JUMP_BITS);

		world_note("CLOCK_REALTIME of a host jumps by %ld ns", (long)by, 0, 0);
		clock_jump(clock, world_draw(2) == 0 ? by : -by);
	}
	return clock_monotonic(clock) + clock_ahead(clock);
}

int64_t
clock_shows_at(const struct clock *clock, int64_t time)
{
	int64_t left, at;

	if (time == INT64_MAX || world_options()->drift == 0)
		return time;
	left = time - clock->since - clock->shown;
	at = clock->since + (int64_t)((__int128)left * WHOLE / (WHOLE + clock->pace)) + 1;
	return at < clock->changes ? at : clock->changes;
}
