#include "master/fleet/roster.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

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

struct seen {
	unsigned seats[16];
	unsigned count;
};

static void
see(const struct occupant *occupant, void *context)
{
	struct seen *seen = context;

	cr_assert_eq(occupant_row(occupant)->index, occupant->hub);
	seen->seats[seen->count++] = slot_seat(occupant->slot, occupant->hub);
}

static void
assert_seen(const unsigned *expected, unsigned count)
{
	struct seen seen = {.count = 0};

	roster_each_sitting(&fake.fleet, see, &seen);
	cr_assert_eq(seen.count, count);
	for (unsigned i = 0; i < count; i++)
		cr_assert_eq(seen.seats[i], expected[i], "the %uth is %u", i, seen.seats[i]);
}

Test(roster, a_hub_has_the_seat_that_its_slot_and_the_threads_say)
{
	cr_assert_eq(slot_seat(fake_slot(&fake, 0), 1), 1);
	cr_assert_eq(slot_seat(fake_slot(&fake, 2), 0), 4);
	cr_assert_eq(slot_seat(fake_slot(&fake, 2), 1), 5);
}

Test(roster, those_who_sit_come_in_the_order_of_the_group)
{
	assert_seen(NULL, 0);
	close(fake_serve(fake_slot(&fake, 2)));
	close(fake_serve(fake_slot(&fake, 0)));
	assert_seen((unsigned[]){4, 5, 0, 1}, 4);
	cr_assert_eq(fleet_accepting(&fake.fleet), 4);
	/* The last one of the group comes into the place of one that leaves it. */
	sockets_leave_group(&fake.sockets, 4);
	assert_seen((unsigned[]){1, 5, 0}, 3);
}

Test(roster, nobody_sits_on_an_empty_seat_or_without_a_process)
{
	struct slot *first = fake_slot(&fake, 0);
	struct worker_row *rows;

	close(fake_serve(first));
	close(fake_serve(fake_slot(&fake, 1)));
	rows = first->rows;
	first->rows = NULL;
	assert_seen((unsigned[]){2, 3}, 2);
	cr_assert_not(occupant_sits(&fake.fleet.occupants[0]));
	first->rows = rows;
	fake.fleet.occupants[3].slot = NULL;
	assert_seen((unsigned[]){0, 1, 2}, 3);
	cr_assert_not(occupant_accepts(&fake.fleet.occupants[3]));
	cr_assert_eq(fleet_accepting(&fake.fleet), 3);
}

Test(roster, a_hub_that_hangs_sits_and_does_not_accept)
{
	struct slot *slot = fake_slot(&fake, 0);

	close(fake_serve(slot));
	slot->hubs[1].is_hung = true;
	cr_assert(occupant_accepts(&fake.fleet.occupants[0]));
	cr_assert(occupant_sits(&fake.fleet.occupants[1]));
	cr_assert_not(occupant_accepts(&fake.fleet.occupants[1]));
	assert_seen((unsigned[]){0, 1}, 2);
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
