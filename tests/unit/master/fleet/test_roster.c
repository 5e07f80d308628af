#include "master/fleet/roster.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "master/fleet/permits.h"
#include "master/fleet/seating.h"
#include "tests/unit/master/fake_fleet.h"

static struct fake_fleet fake;

static void
begin(void)
{
	fake_open(&fake, NULL, 3, 2);
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(roster, .init = begin, .fini = end);

/* ---- seats ---- */

#define SEEN_SIZE 64

static void
see(const struct occupant *occupant, void *context)
{
	char *text = context;
	size_t length = strlen(text);

	cr_assert_eq(occupant_row(occupant)->index, occupant->hub);
	snprintf(text + length, SEEN_SIZE - length, "%s%u", length > 0 ? " " : "",
		slot_seat(occupant->slot, occupant->hub));
}

/* The seats on which somebody sits, in the order in which roster_each_sitting visits them. */
static const char *
sitting(void)
{
	static char text[SEEN_SIZE];

	*text = '\0';
	roster_each_sitting(&fake.fleet, see, text);
	return text;
}

Test(roster, a_hub_has_the_seat_that_its_slot_and_the_threads_say)
{
	cr_assert_eq(slot_seat(fake_slot(&fake, 0), 1), 1);
	cr_assert_eq(slot_seat(fake_slot(&fake, 2), 0), 4);
	cr_assert_eq(slot_seat(fake_slot(&fake, 2), 1), 5);
}

Test(roster, those_who_sit_come_in_the_order_of_the_group)
{
	cr_assert_str_empty(sitting());
	close(fake_serve(fake_slot(&fake, 2)));
	close(fake_serve(fake_slot(&fake, 0)));
	cr_assert_str_eq(sitting(), "4 5 0 1");
	cr_assert_eq(fleet_accepting(&fake.fleet), 4);
	/* The last one of the group comes into the place of one that leaves it. */
	sockets_leave_group(&fake.sockets, 4);
	cr_assert_str_eq(sitting(), "1 5 0");
}

Test(roster, nobody_sits_on_an_empty_seat_or_without_a_process)
{
	struct slot *first = fake_slot(&fake, 0);
	struct occupant *on_first = &fake.fleet.occupants[0], *on_last = &fake.fleet.occupants[3];
	struct worker_row *rows;

	close(fake_serve(first));
	close(fake_serve(fake_slot(&fake, 1)));
	rows = first->rows;
	first->rows = NULL;
	cr_assert_str_eq(sitting(), "2 3");
	cr_assert_not(occupant_sits(on_first));
	first->rows = rows;
	on_last->slot = NULL;
	cr_assert_str_eq(sitting(), "0 1 2");
	cr_assert_not(occupant_accepts(on_last));
	cr_assert_eq(fleet_accepting(&fake.fleet), 3);
}

Test(roster, a_hub_that_hangs_sits_and_does_not_accept)
{
	struct slot *slot = fake_slot(&fake, 0);
	const struct occupant *lives = &fake.fleet.occupants[0], *hangs = &fake.fleet.occupants[1];

	close(fake_serve(slot));
	slot->hubs[1].is_hung = true;
	cr_assert(occupant_accepts(lives));
	cr_assert(occupant_sits(hangs));
	cr_assert_not(occupant_accepts(hangs));
	cr_assert_str_eq(sitting(), "0 1");
}

Test(roster, a_hub_lives_for_a_second_after_its_last_sign_of_life)
{
	struct slot *first = fake_slot(&fake, 0);

	close(fake_serve(first));
	close(fake_serve(fake_slot(&fake, 1)));
	first->hubs[0].is_hung = true;
	first->hubs[0].silent = FLEET_LIFE - 1;
	cr_assert_eq(fleet_living(&fake.fleet), 4, "it only gets no new connections");
	first->hubs[0].silent = FLEET_LIFE;
	cr_assert_eq(fleet_living(&fake.fleet), 3);
	cr_assert_eq(fleet_accepting(&fake.fleet), 4);
	fake.fleet.occupants[1].slot = NULL;
	cr_assert_eq(fleet_living(&fake.fleet), 2);
}

/* ---- slots ---- */

Test(roster, workers_that_start_or_will_are_replacements)
{
	struct fleet *fleet = &fake.fleet;
	struct generation *rising;

	for (int state = 0; state < SUPERVISION_STATE_MAX; state++) {
		fake_slot(&fake, 1)->state = (enum supervision_state)state;
		cr_assert_eq(fleet_is_replacing(fleet),
			state == SUPERVISION_STARTING || state == SUPERVISION_BACKING_OFF, "%s",
			supervision_state_names[state]);
	}
	fake_slot(&fake, 1)->state = SUPERVISION_HUNG;
	rising = fake_generation(&fake, GENERATION_RISING);
	cr_assert_not(fleet_is_replacing(fleet));
	rising->slots[0]->state = SUPERVISION_STARTING;
	cr_assert(fleet_is_replacing(fleet));
	rising->slots[0]->state = SUPERVISION_DEAD;
}

Test(roster, those_who_start_have_the_hang_timeout_or_half_a_minute_without)
{
	struct fleet *fleet = &fake.fleet;

	cr_assert_eq(fleet_patience(fleet), 5 * CLOCK_SECOND);
	fleet->serving->config.hang_timeout = 0;
	cr_assert_eq(fleet_patience(fleet), FLEET_RISE_TIME);
}

static void
count(struct slot *slot, void *counts)
{
	((unsigned *)counts)[slot->generation->phase]++;
}

Test(roster, each_slot_of_each_generation_is_visited_once)
{
	unsigned counts[3] = {0};

	generation_each(NULL, count, counts);
	fake_generation(&fake, GENERATION_RISING);
	fake_generation(&fake, GENERATION_LEAVING);
	fake_generation(&fake, GENERATION_LEAVING);
	fleet_each(&fake.fleet, count, counts);
	cr_assert_eq(counts[GENERATION_RISING], 3);
	cr_assert_eq(counts[GENERATION_SERVING], 3);
	cr_assert_eq(counts[GENERATION_LEAVING], 6);
}

Test(roster, a_fleet_is_steady_when_all_serve_and_none_rises)
{
	struct fleet *fleet = &fake.fleet;

	for (unsigned i = 0; i < 3; i++) {
		cr_assert_not(fleet_is_steady(fleet));
		cr_assert_not(generation_is(fleet->serving, SUPERVISION_READY));
		close(fake_serve(fake_slot(&fake, i)));
	}
	cr_assert(fleet_is_steady(fleet));
	fake_slot(&fake, 1)->state = SUPERVISION_HUNG;
	cr_assert_not(fleet_is_steady(fleet));
	fake_slot(&fake, 1)->state = SUPERVISION_READY;
	fake_generation(&fake, GENERATION_RISING);
	cr_assert_not(fleet_is_steady(fleet));
}

Test(roster, of_a_pause_only_a_little_was_seen)
{
	cr_assert_eq(fleet_seen(50 * CLOCK_MILLISECOND), 50 * CLOCK_MILLISECOND);
	cr_assert_eq(fleet_seen(3600 * CLOCK_SECOND), FLEET_SEEN_MOST);
}

/* ---- rows ---- */

/* The row is the worker's memory. The master would look for a level above all numbers without
 * end. */
Test(roster, a_row_that_was_overwritten_costs_the_others_nothing, .timeout = 30)
{
	static const uint64_t strays[] = {1, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX};
	const struct worker_row *other;
	struct slot *slot = fake_slot(&fake, 0);

	fake.fleet.serving->config.max_connections = 100;
	close(fake_serve(slot));
	close(fake_serve(fake_slot(&fake, 1)));
	other = fake_slot(&fake, 1)->rows;
	for (unsigned i = 0; i < sizeof strays / sizeof strays[0]; i++) {
		slot->rows->opened = strays[i];
		permits_share(&fake.fleet);
		seating_rescue(&fake.fleet);
		cr_assert_gt(other->permits, 0);
	}
	cr_assert_eq(slot_open(slot, 0), 0, "-1 is none");
	slot->rows->permits = INT64_MIN;
	cr_assert_eq(slot_permits(slot, 0), 0);
	slot->rows->permits = INT64_MAX;
	cr_assert_eq(slot_permits(slot, 0), INT_MAX);
}

/* ---- consistency ---- */

#define ASSERT_NOTICED(record, field, value)                                                       \
	do {                                                                                       \
		__typeof__(field) before = field;                                                  \
		cr_assert(record);                                                                 \
		field = value;                                                                     \
		cr_assert_not(record);                                                             \
		field = before;                                                                    \
		cr_assert(record);                                                                 \
	} while (0)

Test(roster, a_slot_that_has_half_a_process_is_noticed)
{
	struct slot *slot = fake_slot(&fake, 1);

	ASSERT_NOTICED(slot_is_consistent(slot), slot->pid, 1);
	ASSERT_NOTICED(slot_is_consistent(slot), slot->pidfd, 0);
	ASSERT_NOTICED(slot_is_consistent(slot), slot->granted, 1);
	ASSERT_NOTICED(slot_is_consistent(slot), slot->must_leave, true);
	ASSERT_NOTICED(slot_is_consistent(slot), slot->state, SUPERVISION_STARTING);
	close(fake_serve(slot));
	ASSERT_NOTICED(slot_is_consistent(slot), slot->pid, 0);
	ASSERT_NOTICED(slot_is_consistent(slot), slot->channel, -1);
	ASSERT_NOTICED(slot_is_consistent(slot), slot->rows, NULL);
	ASSERT_NOTICED(slot_is_consistent(slot), slot->state, SUPERVISION_BACKING_OFF);
	ASSERT_NOTICED(slot_is_consistent(slot), slot->state, SUPERVISION_DRAINING);
	ev_timer_set(&slot->respawn, 1., 0.);
	ev_timer_start(fake.loop, &slot->respawn);
	cr_assert_not(slot_is_consistent(slot), "only a slot that backs off has a pause");
}

Test(roster, records_that_contradict_each_other_are_noticed)
{
	struct fleet *fleet = &fake.fleet;
	struct slot *slot = fake_slot(&fake, 0);
	struct occupant *occupant = &fleet->occupants[1];

	close(fake_serve(slot));
	close(fake_serve(fake_slot(&fake, 1)));
	ASSERT_NOTICED(roster_is_consistent(fleet), fake.sockets.order[1], 0);
	ASSERT_NOTICED(roster_is_consistent(fleet), fake.sockets.order[1], 1000);
	ASSERT_NOTICED(roster_is_consistent(fleet), fake.sockets.listening, 3);
	ASSERT_NOTICED(roster_is_consistent(fleet), fake.sockets.seats[2].listens, false);
	ASSERT_NOTICED(roster_is_consistent(fleet), fake.sockets.seats[5].listens, true);
	ASSERT_NOTICED(roster_is_consistent(fleet), occupant->slot, fake_slot(&fake, 1));
	ASSERT_NOTICED(roster_is_consistent(fleet), occupant->hub, 0);
	ASSERT_NOTICED(roster_is_consistent(fleet), occupant->is_retiring, true);
	ASSERT_NOTICED(roster_is_consistent(fleet), occupant->rescuer, fake_slot(&fake, 2));
	ASSERT_NOTICED(roster_is_consistent(fleet), slot->rows, NULL);
	ASSERT_NOTICED(roster_is_consistent(fleet), slot->index, 7);
	ASSERT_NOTICED(roster_is_consistent(fleet), slot->generation, NULL);
	ASSERT_NOTICED(roster_is_consistent(fleet), fleet->serving->phase, GENERATION_RISING);
	ASSERT_NOTICED(roster_is_consistent(fleet), fleet->generations, 0);
}
