#include "master/fleet/generation.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "tests/unit/master/fake_fleet.h"

static struct fake_fleet fake;
static struct generation *serving;
static int ends[3]; /* of the workers */

/* Three workers of one hub, all ready; what happens to them is recorded. */
static void
begin(void)
{
	fake_open(&fake, NULL, 3, 1);
	fake_record(&fake);
	serving = fake.fleet.serving;
	for (unsigned i = 0; i < 3; i++)
		ends[i] = fake_serve(serving->slots[i]);
	fake_recorded();
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(generation, .init = begin, .fini = end);

static unsigned
heard(enum channel_kind kind)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 3; i++)
		count += fake_heard(ends[i], kind);
	return count;
}

Test(generation, is_numbered_and_has_empty_slots)
{
	struct generation *next = fake_generation(&fake, GENERATION_RISING);

	cr_assert_eq(serving->number, 1);
	cr_assert_eq(next->number, 2);
	cr_assert_eq(next->count, 3);
	cr_assert(generation_grow(next, 5));
	cr_assert_eq(next->count, 5);
	for (unsigned i = 0; i < 5; i++) {
		cr_assert_eq(next->slots[i]->index, i);
		cr_assert_eq(next->slots[i]->state, SUPERVISION_DEAD);
		cr_assert_eq(next->slots[i]->pid, 0);
	}
}

/* ---- starts that fail: no row is free, so nothing is forked ---- */

static void
fill_table(void)
{
	cr_assert_not_null(counters_claim(fake.counters, 9, 1, COUNTERS_ROWS - 3));
}

static struct slot_events events;

static void
leave_when_one_fails(struct slot *slot)
{
	(void)slot;
	fake.told.fell++;
	if (fake.fleet.rising != NULL)
		generation_abandon(fake.fleet.rising);
}

Test(generation, all_are_started_though_one_fails)
{
	fill_table();
	cr_assert_eq(sockets_grow(&fake.sockets, 6), 0);
	cr_assert(generation_grow(serving, 6));
	generation_start(serving, 3);
	cr_assert_str_eq(fake_recorded(), "failed 3, failed 4, failed 5");
}

Test(generation, the_rest_is_not_started_when_one_that_fails_makes_it_leave)
{
	struct generation *rising = fake_generation(&fake, GENERATION_RISING);

	fill_table();
	events = *fake.fleet.slot_events;
	events.failed = leave_when_one_fails;
	fake.fleet.slot_events = &events;
	generation_start(rising, 0);
	cr_assert_eq(fake.told.fell, 1);
	cr_assert_null(fake.fleet.rising);
	cr_assert_eq(fake.fleet.leaving, rising);
	cr_assert(generation_is(rising, SUPERVISION_DEAD));
}

/* ---- leaving ---- */

/* How many of its workers are killed. */
static unsigned
killed(const struct generation *generation)
{
	unsigned count = 0;

	for (unsigned i = 0; i < generation->count; i++)
		count += generation->slots[i]->is_killed;
	return count;
}

Test(generation, that_leaves_has_a_deadline_then_is_stopped_then_killed)
{
	fake.fleet.serving = NULL;
	generation_leave(serving, CHANNEL_HANDOVER);
	cr_assert_eq(serving->phase, GENERATION_LEAVING);
	cr_assert_eq(fake.fleet.leaving, serving);
	cr_assert_eq(heard(CHANNEL_HANDOVER), 3);
	cr_assert_float_eq(ev_timer_remaining(fake.loop, &serving->deadline), 30, 0.1);
	fake_fire(&fake, &serving->deadline);
	cr_assert_eq(heard(CHANNEL_STOP), 3);
	cr_assert_eq(killed(serving), 0);
	cr_assert_float_eq(ev_timer_remaining(fake.loop, &serving->deadline), 3, 0.1);
	fake_fire(&fake, &serving->deadline);
	cr_assert_eq(killed(serving), 3);
}

Test(generation, that_is_to_stop_meanwhile_has_no_more_time)
{
	fake.fleet.serving = NULL;
	generation_leave(serving, CHANNEL_DRAIN);
	generation_leave(serving, CHANNEL_STOP);
	cr_assert_null(serving->next, "it is in the list once");
	cr_assert_eq(heard(CHANNEL_STOP), 3);
	cr_assert_float_eq(ev_timer_remaining(fake.loop, &serving->deadline), 3, 0.1);
	fake_fire(&fake, &serving->deadline);
	cr_assert_eq(killed(serving), 3);
}

Test(generation, that_is_dropped_rises_no_more_and_is_killed)
{
	struct generation *rising = fake_generation(&fake, GENERATION_RISING);
	struct slot *started = rising->slots[0], *empty = rising->slots[1];

	close(fake_start(started));
	generation_abandon(rising);
	cr_assert_null(fake.fleet.rising);
	cr_assert_eq(fake.fleet.leaving, rising);
	cr_assert(started->is_killed);
	cr_assert_eq(started->state, SUPERVISION_DRAINING);
	cr_assert_eq(empty->state, SUPERVISION_DEAD);
	cr_assert_eq(killed(serving), 0);
}

Test(generation, whose_workers_are_gone_is_swept)
{
	struct generation *former = fake_generation(&fake, GENERATION_RISING);

	generation_abandon(former);
	cr_assert(ev_is_active(&fake.fleet.sweep));
	fake_fire(&fake, &fake.fleet.sweep);
	cr_assert_null(fake.fleet.leaving);
	cr_assert_eq(fake.told.all_gone, 0, "others serve");
}
