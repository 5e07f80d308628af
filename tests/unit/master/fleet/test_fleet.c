#include "master/fleet/fleet.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "master/fleet/generation.h"
#include "master/fleet/permits.h"
#include "master/fleet/slot.h"
#include "tests/unit/master/fake_fleet.h"

static struct fake_fleet fake;
static struct generation *former;
static int ends[3]; /* of its workers */

/* Three workers of one hub, all ready. */
static void
begin(void)
{
	fake_open(&fake, NULL, 3, 1);
	former = fake.fleet.serving;
	former->config.max_connections = 30;
	for (unsigned i = 0; i < 3; i++)
		ends[i] = fake_serve(fake_slot(&fake, i));
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(fleet, .init = begin, .fini = end);

static unsigned
heard(enum channel_kind kind)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 3; i++)
		count += fake_heard(ends[i], kind);
	return count;
}

static int64_t
free_permits(const struct generation *generation)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < generation->count; i++)
		for (unsigned hub = 0; hub < generation->config.threads; hub++)
			sum += generation->slots[i]->rows[hub].permits;
	return sum;
}

/* ---- another generation ---- */

Test(fleet, the_risen_generation_takes_seats_and_permits_and_the_former_one_hands_over)
{
	struct generation *risen = fake_generation(&fake, GENERATION_RISING);
	struct worker_row *row = former->slots[0]->rows;
	int worker;

	counters_add(&row->opened, 4);
	cr_assert_eq(counters_take_permits(row, 4), 4);
	worker = fake_serve(risen->slots[0]);
	close(fake_serve(risen->slots[1]));
	close(fake_serve(risen->slots[2]));
	heard(CHANNEL_ACCEPT);
	fleet_commit(&fake.fleet);
	cr_assert_eq(fake.fleet.serving, risen);
	cr_assert_null(fake.fleet.rising);
	cr_assert_eq(fake.fleet.leaving, former);
	cr_assert_str_eq(fake_seats(&fake), "0.0 1.0 2.0");
	cr_assert_eq(free_permits(former), 0, "it opens nothing more");
	cr_assert_eq(free_permits(risen), 26, "the former one's 4 are in use");
	cr_assert_eq(fake_heard(worker, CHANNEL_ACCEPT), 1);
	cr_assert_eq(heard(CHANNEL_HANDOVER), 3);
	close(worker);
}

Test(fleet, seats_beyond_the_risen_generation_retire)
{
	struct generation *risen = fake_generation(&fake, GENERATION_RISING);

	risen->count = risen->config.processes = 2;
	close(fake_serve(risen->slots[0]));
	close(fake_serve(risen->slots[1]));
	fleet_commit(&fake.fleet);
	cr_assert_str_eq(fake_seats(&fake), "0.0 1.0 -!");
	risen->count = 3;
}

Test(fleet, one_that_does_not_rise_in_time_is_dropped_and_a_pause_does_not_count)
{
	struct generation *rising = fake_generation(&fake, GENERATION_RISING);
	struct slot *slot = rising->slots[0];

	close(fake_start(slot));
	/* The master did not run for an hour. */
	fake.fleet.ticked -= 3600 * CLOCK_SECOND;
	ev_invoke(fake.loop, &fake.fleet.tick, EV_TIMER);
	cr_assert_eq(fake.told.fell, 0);
	rising->seen = 7 * CLOCK_SECOND;
	ev_invoke(fake.loop, &fake.fleet.tick, EV_TIMER);
	cr_assert_eq(fake.told.fell, 1);
	cr_assert_null(fake.fleet.rising);
	cr_assert(slot->is_killed);
	cr_assert_eq(fake.fleet.serving, former);
}

Test(fleet, only_one_rises_and_none_where_too_many_drain)
{
	const char *why = NULL;

	fake_generation(&fake, GENERATION_RISING);
	cr_assert_eq(fleet_rise(&fake.fleet, &former->config, &why), -1);
	cr_assert(strstr(why, "under way"));
	fleet_abandon(&fake.fleet);
	cr_assert_eq(fake.told.fell, 0);
	for (int i = 0; i < 15; i++)
		fake_generation(&fake, GENERATION_LEAVING);
	cr_assert_eq(fleet_rise(&fake.fleet, &former->config, &why), -1);
	cr_assert(strstr(why, "still drain"));
}

/* ---- more and fewer ---- */

Test(fleet, of_fewer_workers_the_last_ones_leave)
{
	struct generation *part;
	const char *why;
	int64_t all = free_permits(former);

	heard(CHANNEL_ACCEPT);
	cr_assert_eq(fleet_resize(&fake.fleet, 1, &why), 0);
	cr_assert_eq(former->count, 1);
	cr_assert_eq(former->config.processes, 1);
	part = fake.fleet.leaving;
	cr_assert_eq(part->count, 2);
	cr_assert_eq(part->number, former->number);
	cr_assert_eq((*part->slots)->generation, part);
	cr_assert_eq(free_permits(part), 0);
	cr_assert_str_eq(fake_seats(&fake), "0.0 -! -!");
	cr_assert_eq(heard(CHANNEL_HANDOVER), 2);
	permits_share(&fake.fleet);
	cr_assert_eq(free_permits(former), all);
	cr_assert(fleet_is_steady(&fake.fleet));
}

Test(fleet, more_hubs_than_the_table_of_seats_has_are_refused_and_nothing_changes)
{
	const char *why;

	cr_assert_eq(fleet_resize(&fake.fleet, SOCKETS_SEATS_MAX + 1, &why), -1);
	cr_assert(strstr(why, "2000 hubs"), "%s", why);
	cr_assert_eq(former->count, 3);
	cr_assert(fleet_is_steady(&fake.fleet));
}

/* ---- the end ---- */

Test(fleet, a_frozen_one_opens_nothing_until_it_thaws)
{
	fleet_freeze(&fake.fleet, true);
	cr_assert_eq(free_permits(former), 0);
	ev_invoke(fake.loop, &fake.fleet.tick, EV_TIMER);
	cr_assert_eq(free_permits(former), 0);
	fleet_freeze(&fake.fleet, false);
	cr_assert_eq(free_permits(former), 30);
}

Test(fleet, is_gone_when_its_last_worker_has_left)
{
	fleet_leave(&fake.fleet, CHANNEL_DRAIN);
	cr_assert_null(fake.fleet.serving);
	cr_assert_eq(heard(CHANNEL_DRAIN), 3);
	cr_assert_eq(free_permits(former), 30, "what is queued is still taken");
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_not(fleet_is_gone(&fake.fleet));
		cr_assert(fleet_reap(&fake.fleet, getpid()));
		fake_fire(&fake, &fake.fleet.sweep);
		cr_assert_eq(fake.told.all_gone, i == 2);
	}
	cr_assert(fleet_is_gone(&fake.fleet));
	cr_assert_not(fleet_reap(&fake.fleet, getpid()), "a stranger");
}

/* ---- the tick ---- */

Test(fleet, remembers_the_longest_pause_and_not_that_of_the_start)
{
	int64_t pause;

	fake.fleet.ticked -= 3600 * CLOCK_SECOND;
	ev_invoke(fake.loop, &fake.fleet.tick, EV_TIMER);
	cr_assert_eq(fake.fleet.longest_pause, 0, "the start");
	fake.fleet.ticked -= 1800 * CLOCK_SECOND;
	ev_invoke(fake.loop, &fake.fleet.tick, EV_TIMER);
	pause = fake.fleet.longest_pause;
	cr_assert_geq(pause, 1800 * CLOCK_SECOND - FLEET_TICK_TIME);
	cr_assert_lt(pause, 3600 * CLOCK_SECOND);
	fake.fleet.ticked -= 900 * CLOCK_SECOND;
	ev_invoke(fake.loop, &fake.fleet.tick, EV_TIMER);
	cr_assert_eq(fake.fleet.longest_pause, pause, "a shorter one");
}
