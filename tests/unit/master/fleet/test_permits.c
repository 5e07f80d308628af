#include "master/fleet/permits.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "master/fleet/generation.h"
#include "master/fleet/slot.h"
#include "tests/unit/master/fake_fleet.h"

#define PROCESSES 3
#define THREADS 2
#define CAPACITY 1000

static struct fake_fleet fake;

/* Three workers of two hubs, all ready, with that limit. */
static void
begin_with(uint64_t limit)
{
	fake_open(&fake, NULL, PROCESSES, THREADS);
	fake.fleet.serving->config.max_connections = limit;
	for (unsigned i = 0; i < PROCESSES; i++)
		fake_slot(&fake, i)->capacity = CAPACITY;
	for (unsigned i = 0; i < PROCESSES; i++)
		close(fake_serve(fake_slot(&fake, i)));
}

static void
begin(void)
{
	begin_with(100);
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(permits, .init = begin, .fini = end);

static struct worker_row *
row(unsigned seat)
{
	return &fake_slot(&fake, seat / THREADS)->rows[seat % THREADS];
}

/* As its hub does for each connection. */
static void
open_some(unsigned seat, int64_t count)
{
	cr_assert_eq(counters_take_permits(row(seat), count), count);
	counters_add(&row(seat)->opened, (uint64_t)count);
}

static void
close_some(unsigned seat, int64_t count)
{
	counters_add(&row(seat)->closed, (uint64_t)count);
	counters_give_permits(row(seat), count);
}

/* As the master does. */
static void
grant(unsigned seat, int64_t count)
{
	struct slot *slot = fake_slot(&fake, seat / THREADS);

	counters_give_permits(row(seat), count);
	slot->granted += count;
	slot->rows[0].granted = slot->granted;
}

static int64_t
free_in(const struct slot *slot)
{
	int64_t sum = 0;

	for (unsigned hub = 0; hub < THREADS; hub++)
		sum += slot->rows[hub].permits;
	return sum;
}

static int64_t
open_in(const struct slot *slot)
{
	int64_t sum = 0;

	for (unsigned hub = 0; hub < THREADS; hub++)
		sum += (int64_t)counters_open(&slot->rows[hub]);
	return sum;
}

/* What each process was granted is free there, or used; returns all of it. */
static int64_t
granted(void)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < PROCESSES; i++) {
		const struct slot *slot = fake_slot(&fake, i);

		if (slot->rows == NULL) {
			cr_assert_eq(slot->granted, 0);
			continue;
		}
		cr_assert_eq(slot->granted, free_in(slot) + open_in(slot), "worker %u", i);
		cr_assert_eq(slot->rows->granted, slot->granted, "for another master to read");
		cr_assert_leq(slot->granted, slot->capacity);
		sum += slot->granted;
	}
	return sum;
}

/* ---- sharing out ---- */

Test(permits, all_hubs_get_equal_parts_and_the_rest_goes_round)
{
	cr_assert_eq(granted(), 100);
	for (unsigned seat = 0; seat < PROCESSES * THREADS; seat++)
		cr_assert(row(seat)->permits == 16 || row(seat)->permits == 17);
}

Test(permits, the_limit_is_the_servers_or_the_sum_of_what_files_allow)
{
	cr_assert_eq(permits_limit(&fake.fleet), 100);
	fake.fleet.serving->config.max_connections = 0;
	cr_assert_eq(permits_limit(&fake.fleet), PROCESSES * CAPACITY);
	/* A hub gets its part of what its process lacks, at each tick. */
	for (int i = 0; i < 20; i++)
		permits_share(&fake.fleet);
	cr_assert_eq(granted(), PROCESSES * CAPACITY);
}

Test(permits, without_a_generation_there_is_no_limit_and_nothing_to_give)
{
	struct fleet none = {.sockets = &fake.sockets};

	cr_assert_eq(permits_limit(&none), 0);
	permits_share(&none);
}

Test(permits, no_process_gets_more_than_its_files_allow)
{
	fake_slot(&fake, 0)->capacity = 40;
	fake.fleet.serving->config.max_connections = 1000;
	permits_share(&fake.fleet);
	cr_assert_eq(fake_slot(&fake, 0)->granted, 40);
	/* What it may not have the others get, a bit at each tick. */
	for (int i = 0; i < 20; i++)
		permits_share(&fake.fleet);
	cr_assert_eq(granted(), 1000);
}

Test(permits, a_higher_limit_is_given_out_and_of_a_lower_one_the_free_are_taken)
{
	fake.fleet.serving->config.max_connections = 160;
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 160);
	for (unsigned seat = 0; seat < 4; seat++)
		open_some(seat, 20);
	fake.fleet.serving->config.max_connections = 50;
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 80, "those in use stay");
	close_some(0, 20);
	close_some(1, 15);
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 50);
}

Test(permits, in_a_frozen_fleet_nothing_moves)
{
	fake.fleet.is_frozen = true;
	fake.fleet.serving->config.max_connections = 500;
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 100);
}

/* ---- death, and leaving ---- */

Test(permits, those_of_a_dead_worker_come_back_and_what_it_had_open_is_lost)
{
	open_some(0, 5);
	open_some(1, 2);
	slot_event(fake_slot(&fake, 0), SUPERVISION_EXIT);
	cr_assert_eq(counters_server(fake.counters)->lost, 7);
	close(fake_serve(fake_slot(&fake, 0)));
	cr_assert_eq(granted(), 100);
	cr_assert_leq(fake_slot(&fake, 0)->granted, 34);
}

Test(permits, a_worker_that_dies_while_it_accepts_counts_that_as_lost)
{
	/* The permit is taken, the connection not yet counted. */
	cr_assert_eq(counters_take_permits(row(2), 1), 1);
	slot_event(fake_slot(&fake, 1), SUPERVISION_EXIT);
	cr_assert_eq(counters_server(fake.counters)->lost, 1);
}

Test(permits, from_one_that_is_revoked_only_what_is_in_use_is_missing)
{
	struct slot *slot = fake_slot(&fake, 1);

	open_some(3, 4);
	permits_revoke(slot);
	cr_assert_eq(free_in(slot), 0);
	cr_assert_eq(slot->granted, 4);
}

/* A slot of the former generation that drains, with 10 permits of which 3 are in use. */
static struct slot *
add_leaving(enum channel_kind leave_message)
{
	struct slot *slot = fake_generation(&fake, GENERATION_LEAVING)->slots[0];

	close(fake_start(slot));
	slot->state = SUPERVISION_DRAINING;
	slot->leave_message = leave_message;
	slot->granted = 10;
	counters_give_permits(&slot->rows[0], 7);
	counters_add(&slot->rows[0].opened, 3);
	return slot;
}

Test(permits, what_a_former_generation_has_in_use_counts_and_the_rest_is_taken)
{
	struct slot *former = add_leaving(CHANNEL_HANDOVER);

	permits_share(&fake.fleet);
	cr_assert_eq(former->granted, 3);
	cr_assert_eq(granted(), 97);
}

Test(permits, one_that_drains_for_good_keeps_them_for_its_queue)
{
	struct slot *former = add_leaving(CHANNEL_DRAIN);

	permits_share(&fake.fleet);
	cr_assert_eq(former->granted, 10);
	cr_assert_eq(granted(), 90);
}

Test(permits, what_workers_of_another_master_have_counts)
{
	struct worker_row *others = &fake.counters->rows[fake.counters->used++];

	*others = (struct worker_row){.state = ROW_LIVE, .granted = 30};
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 70);
	others->granted = INT64_MIN; /* overwritten: none, since it has no process */
	counters_fold_orphans(fake.counters);
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 100);
}

/* ---- who is not there yet ---- */

/* Ends the worker, whose replacement, a fake as well, starts. */
static struct slot *
restart(unsigned worker)
{
	struct slot *slot = fake_slot(&fake, worker);

	slot_event(slot, SUPERVISION_EXIT);
	close(fake_start(slot));
	return slot;
}

Test(permits, the_part_of_a_worker_that_starts_is_kept_for_it)
{
	struct slot *slot = restart(1);

	permits_share(&fake.fleet);
	cr_assert(granted() == 66 || granted() == 67);
	slot_event(slot, SUPERVISION_ALL_READY);
	cr_assert_eq(granted(), 100);
	cr_assert(row(2)->permits == 16 || row(2)->permits == 17);
}

Test(permits, of_one_that_starts_for_long_it_is_given_to_others_and_taken_back_once_it_is_there)
{
	struct slot *slot = restart(1);

	slot->started -= 2 * CLOCK_SECOND;
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 100);
	cr_assert_eq(row(0)->permits, 25);
	slot_event(slot, SUPERVISION_ALL_READY);
	cr_assert_eq(granted(), 100);
	cr_assert(row(2)->permits == 16 || row(2)->permits == 17);
	cr_assert_leq(row(0)->permits, 17);
}

Test(permits, of_one_that_is_to_start_only_later_it_is_given_to_others)
{
	struct slot *slot = fake_slot(&fake, 1);

	slot_event(slot, SUPERVISION_EXIT);
	permits_share(&fake.fleet);
	cr_assert_lt(granted(), 100, "the next one comes at once");
	ev_timer_stop(fake.loop, &slot->respawn);
	ev_timer_set(&slot->respawn, 5., 0.);
	ev_timer_start(fake.loop, &slot->respawn);
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 100);
}

/* ---- balance ---- */

Test(permits, a_hub_holds_what_it_lacks_to_the_level_of_all)
{
	open_some(0, 15);
	open_some(1, 10);
	grant(0, 20);
	grant(4, -10);
	grant(5, -10);
	permits_share(&fake.fleet);
	cr_assert_eq(granted(), 100);
	for (unsigned seat = 0; seat < PROCESSES * THREADS; seat++) {
		int64_t level = row(seat)->permits + (int64_t)counters_open(row(seat));

		cr_assert(level == 16 || level == 17, "hub %u: %ld", seat, (long)level);
	}
}

Test(permits, a_hub_above_the_level_gets_none_though_clients_wait_there)
{
	open_some(0, row(0)->permits);
	grant(0, 20);
	open_some(0, 20);
	grant(2, -10);
	grant(3, -10);
	fake.fleet.occupants[0].queued = 50;
	permits_share(&fake.fleet);
	cr_assert_eq(row(0)->permits, 0);
	cr_assert_eq(granted(), 100);
}

Test(permits, where_all_are_level_nothing_moves)
{
	int64_t before[PROCESSES * THREADS];

	open_some(3, 7);
	for (unsigned seat = 0; seat < PROCESSES * THREADS; seat++)
		before[seat] = row(seat)->permits;
	for (int i = 0; i < 3; i++) {
		permits_share(&fake.fleet);
		for (unsigned seat = 0; seat < PROCESSES * THREADS; seat++)
			cr_assert_eq(row(seat)->permits, before[seat]);
	}
}

Test(permits, a_hub_that_hangs_has_none_that_others_could_use)
{
	fake_slot(&fake, 1)->hubs[1].is_hung = true;
	permits_share(&fake.fleet);
	cr_assert_eq(row(3)->permits, 0);
	cr_assert_eq(row(2)->permits, 20);
	cr_assert_eq(granted(), 100);
	fake_slot(&fake, 1)->hubs[1].is_hung = false;
	permits_share(&fake.fleet);
	cr_assert_geq(row(3)->permits, 16);
}

Test(permits, of_fewer_than_there_are_hubs_one_goes_where_clients_wait)
{
	end();
	begin_with(2);
	for (unsigned seat = 0; seat < PROCESSES * THREADS; seat++) {
		fake.fleet.occupants[seat].queued = 1;
		fake.fleet.occupants[(seat + 3) % 6].queued = 1;
		permits_share(&fake.fleet);
		cr_assert_eq(row(seat)->permits, 1, "hub %u", seat);
		cr_assert_eq(granted(), 2);
		fake.fleet.occupants[seat].queued = fake.fleet.occupants[(seat + 3) % 6].queued = 0;
	}
}

Test(permits, hubs_of_one_process_share_what_its_files_allow)
{
	struct slot *slot = fake_slot(&fake, 0);

	slot->capacity = 10;
	open_some(0, 8);
	fake.fleet.serving->config.max_connections = 0;
	permits_share(&fake.fleet);
	cr_assert(row(0)->permits == 0 && row(1)->permits == 2);
	cr_assert_eq(row(2)->permits, CAPACITY / THREADS);
}

/* ---- whatever happens ---- */

static void
act_at_random(void)
{
	unsigned seat = (unsigned)rand() % (PROCESSES * THREADS);
	struct slot *slot = fake_slot(&fake, seat / THREADS);

	fake.fleet.occupants[seat].queued = (unsigned)rand() % 4;
	if (slot->rows == NULL) {
		close(fake_serve(slot));
		return;
	}
	switch (rand() % 20) {
	case 0:
		slot_event(slot, SUPERVISION_EXIT);
		return;
	case 1:
		fake.fleet.serving->config.max_connections = 1 + (unsigned)rand() % 200;
		return;
	default:
		break;
	}
	if (rand() % 2 == 0 && row(seat)->permits > 0)
		open_some(seat, 1 + rand() % row(seat)->permits);
	else if (counters_open(row(seat)) > 0)
		close_some(seat, 1 + rand() % (int)counters_open(row(seat)));
}

static int64_t
kept_at_most(int64_t limit)
{
	int64_t absent = 0;

	for (unsigned worker = 0; worker < PROCESSES; worker++)
		absent += fake_slot(&fake, worker)->rows == NULL ? THREADS : 0;
	if (absent == PROCESSES * THREADS)
		return limit;
	return absent > 0 ? absent * (limit / (PROCESSES * THREADS) + 1) : 0;
}

Test(permits, never_more_are_out_than_the_limit_says_but_those_in_use)
{
	srand(1);
	for (int i = 0; i < 5000; i++) {
		int64_t limit, used = 0, out;

		act_at_random();
		permits_share(&fake.fleet);
		limit = (int64_t)permits_limit(&fake.fleet);
		out = granted();
		for (unsigned worker = 0; worker < PROCESSES; worker++)
			if (fake_slot(&fake, worker)->rows != NULL)
				used += open_in(fake_slot(&fake, worker));
		cr_assert_leq(out, limit > used ? limit : used, "round %d", i);
		/* All are out, or kept for those who are about to start. */
		cr_assert_geq(out + kept_at_most(limit), limit, "round %d", i);
	}
}
