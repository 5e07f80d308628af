#include "master/fleet/reactions.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "master/fleet/backoff.h"
#include "master/fleet/generation.h"
#include "master/fleet/permits.h"
#include "master/fleet/slot.h"
#include "tests/unit/master/fake_fleet.h"

#define FAILURES_AT_FIRST_BOOT 10

static struct fake_fleet fake;

/* Two workers of two hubs, of which none has started. */
static void
begin(void)
{
	fake_open(&fake, NULL, 2, 2);
	cr_assert_eq(fake.fleet.slot_events, &reactions);
	for (unsigned i = 0; i < 2; i++)
		fake_slot(&fake, i)->capacity = 100;
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(reactions, .init = begin, .fini = end);

/* That seat's weight, by which clients are steered. */
static unsigned
share(unsigned seat)
{
	return fake.fleet.occupants[seat].weight;
}

/* ---- ready ---- */

Test(reactions, a_worker_whose_seat_cannot_listen_has_not_served)
{
	int *first = &fake.sockets.seats[0].fds[0], fd = *first;

	*first = -1;
	close(fake_serve(fake_slot(&fake, 0)));
	cr_assert(fake_slot(&fake, 0)->is_killed);
	cr_assert_not(fake.fleet.has_served);
	cr_assert_eq(fake.told.all_ready, 0);
	*first = fd;
}

Test(reactions, while_a_worker_whose_seat_cannot_listen_still_dies_not_all_are_ready)
{
	int *first = &fake.sockets.seats[0].fds[0], fd = *first;

	*first = -1;
	close(fake_serve(fake_slot(&fake, 0)));
	*first = fd;
	close(fake_serve(fake_slot(&fake, 1)));
	cr_assert_eq(fake.told.all_ready, 0);
	cr_assert_not(fleet_is_steady(&fake.fleet));
	slot_reap(fake_slot(&fake, 0));
	close(fake_serve(fake_slot(&fake, 0)));
	cr_assert_eq(fake.told.all_ready, 1);
	cr_assert(fleet_is_steady(&fake.fleet));
}

Test(reactions, a_worker_that_serves_has_seats_permits_and_a_share_before_it_is_told)
{
	struct slot *slot = fake_slot(&fake, 1);
	int worker = fake_serve(slot);

	cr_assert_eq(fake_heard(worker, CHANNEL_ACCEPT), 1);
	cr_assert_str_eq(fake_seats(&fake), "[-] [-] 1.0 1.1");
	for (unsigned hub = 0; hub < 2; hub++) {
		cr_assert_gt(slot->rows[hub].permits, 0);
		cr_assert_gt(share(slot_seat(slot, hub)), 0);
	}
	close(worker);
}

Test(reactions, that_all_are_ready_is_told_once)
{
	close(fake_serve(fake_slot(&fake, 0)));
	cr_assert_eq(fake.told.all_ready, 0);
	close(fake_serve(fake_slot(&fake, 1)));
	cr_assert_eq(fake.told.all_ready, 1);
	slot_reap(fake_slot(&fake, 1));
	close(fake_serve(fake_slot(&fake, 1)));
	cr_assert_eq(fake.told.all_ready, 1);
}

Test(reactions, a_worker_that_comes_back_to_life_may_be_the_last_that_was_waited_for)
{
	close(fake_serve(fake_slot(&fake, 0)));
	slot_event(fake_slot(&fake, 0), SUPERVISION_SILENT);
	close(fake_serve(fake_slot(&fake, 1)));
	cr_assert_eq(fake.told.all_ready, 0);
	slot_event(fake_slot(&fake, 0), SUPERVISION_HEARD);
	cr_assert_eq(fake.told.all_ready, 1);
}

Test(reactions, a_generation_has_risen_when_its_last_worker_is_ready_and_sits_nowhere_yet)
{
	struct generation *rising;
	int worker;

	close(fake_serve(fake_slot(&fake, 0)));
	close(fake_serve(fake_slot(&fake, 1)));
	rising = fake_generation(&fake, GENERATION_RISING);
	worker = fake_serve(rising->slots[0]);
	cr_assert_eq(fake.told.risen, 0);
	close(fake_serve(rising->slots[1]));
	cr_assert_eq(fake.told.risen, 1);
	cr_assert_str_eq(fake_seats(&fake), "0.0 0.1 1.0 1.1");
	cr_assert_eq(fake_heard(worker, CHANNEL_ACCEPT), 0);
	close(worker);
}

/* ---- loss ---- */

Test(reactions, the_seats_of_a_dead_worker_are_empty_and_its_queue_is_adopted)
{
	struct slot *first = fake_slot(&fake, 0), *second = fake_slot(&fake, 1);
	int client, worker;

	close(fake_serve(first));
	client = fake_client(&fake);
	worker = fake_serve(second);
	slot_reap(first);
	cr_assert_str_eq(fake_seats(&fake), "- - 1.0 1.1", "the seats stay");
	cr_assert_eq(share(0), 0);
	cr_assert_gt(share(2), 0);
	cr_assert_eq(fake_heard(worker, CHANNEL_ADOPT), 1);
	cr_assert_eq(first->granted, 0);
	close(client);
	close(worker);
}

Test(reactions, a_hub_that_hangs_is_steered_around)
{
	struct slot *slot = fake_slot(&fake, 0);

	close(fake_serve(slot));
	slot->hubs[1].is_hung = true;
	slot_event(slot, SUPERVISION_SILENT);
	cr_assert_eq(share(1), 0);
	slot->hubs[1].is_hung = false;
	slot_event(slot, SUPERVISION_HEARD);
	cr_assert_gt(share(1), 0);
}

Test(reactions, a_rising_generation_falls_with_its_first_worker)
{
	struct generation *rising;
	struct slot *first, *second;

	close(fake_serve(fake_slot(&fake, 0)));
	rising = fake_generation(&fake, GENERATION_RISING);
	first = rising->slots[0];
	second = rising->slots[1];
	close(fake_start(first));
	close(fake_start(second));
	slot_reap(first);
	cr_assert_eq(fake.told.fell, 1);
	cr_assert_null(fake.fleet.rising);
	cr_assert_eq(rising->phase, GENERATION_LEAVING);
	cr_assert(second->is_killed);
	slot_reap(second);
	cr_assert_eq(fake.told.fell, 1);
	cr_assert_str_eq(fake_seats(&fake), "0.0 0.1 [-] [-]");
}

Test(reactions, a_server_that_never_served_gives_up_after_some_failures)
{
	struct slot *slot = fake_slot(&fake, 0);

	for (int i = 0; i < FAILURES_AT_FIRST_BOOT; i++) {
		cr_assert_eq(fake.told.hopeless, 0);
		close(fake_start(slot));
		slot_reap(slot);
	}
	cr_assert_eq(fake.told.hopeless, 1);
}

Test(reactions, one_that_has_served_goes_on_trying)
{
	struct slot *slot = fake_slot(&fake, 0);

	close(fake_serve(fake_slot(&fake, 1)));
	for (int i = 0; i < 2 * FAILURES_AT_FIRST_BOOT; i++) {
		close(fake_start(slot));
		slot_reap(slot);
	}
	cr_assert_eq(fake.told.hopeless, 0);
	cr_assert_float_eq(ev_timer_remaining(fake.loop, &slot->respawn), BACKOFF_MAX, 0.1);
	/* Now nobody serves: nobody waits long. */
	slot_reap(fake_slot(&fake, 1));
	cr_assert_leq(ev_timer_remaining(fake.loop, &slot->respawn), BACKOFF_MAX_ALONE);
}

static int64_t
granted_of_all(void)
{
	permits_share(&fake.fleet);
	return fake_slot(&fake, 0)->granted + fake_slot(&fake, 1)->granted;
}

/* Also in the second before each try, and while it starts. */
Test(reactions, the_permits_of_a_worker_that_crashes_in_a_row_are_its_siblings_until_it_serves)
{
	struct slot *slot = fake_slot(&fake, 1);

	fake.fleet.serving->config.max_connections = 40;
	for (unsigned i = 0; i < 2; i++)
		close(fake_serve(fake_slot(&fake, i)));
	cr_assert_eq(granted_of_all(), 40);
	for (unsigned crashes = 1; crashes < 5; crashes++) {
		slot_event(slot, SUPERVISION_EXIT);
		cr_assert_eq(slot->failures, crashes);
		/* The first may have been an accident. */
		cr_assert_eq(granted_of_all(), crashes == 1 ? 20 : 40, "%u crashes", crashes);
		close(fake_start(slot));
		cr_assert_eq(granted_of_all(), crashes == 1 ? 20 : 40, "%u crashes", crashes);
	}
	slot_event(slot, SUPERVISION_ALL_READY);
	cr_assert_eq(granted_of_all(), 40);
	cr_assert_eq(slot->granted, 20, "it has its part again");
}

/* ---- leaving ---- */

Test(reactions, a_hub_that_has_drained_for_good_leaves_the_group_at_once)
{
	struct slot *slot = fake_slot(&fake, 0);
	int worker = fake_serve(slot);

	slot_leave(slot, CHANNEL_DRAIN);
	fake_say(slot, worker, CHANNEL_DRAINED, 1);
	cr_assert_str_eq(fake_seats(&fake), "0.0 [-] [-] [-]");
	close(worker);
}

Test(reactions, one_that_hands_over_leaves_its_seat_in_the_group)
{
	struct slot *slot = fake_slot(&fake, 0);
	int worker = fake_serve(slot);

	slot_leave(slot, CHANNEL_HANDOVER);
	fake_say(slot, worker, CHANNEL_DRAINED, 1);
	cr_assert_str_eq(fake_seats(&fake), "0.0 - [-] [-]");
	close(worker);
}

Test(reactions, seats_retire_with_the_last_worker_that_nobody_follows)
{
	struct slot *slot = fake_slot(&fake, 0);

	close(fake_serve(slot));
	/* Another one sits on the second seat already. */
	slot_leave(slot, CHANNEL_DRAIN);
	fake.fleet.occupants[1].slot = fake_slot(&fake, 1);
	slot_reap(slot);
	cr_assert_str_eq(fake_seats(&fake), "-! 1.1 [-] [-]");
	cr_assert(ev_is_active(&fake.fleet.sweep));
}

Test(reactions, seats_of_one_that_handed_over_do_not_retire)
{
	struct slot *slot = fake_slot(&fake, 0);

	close(fake_serve(slot));
	slot_leave(slot, CHANNEL_HANDOVER);
	slot_reap(slot);
	cr_assert_str_eq(fake_seats(&fake), "- - [-] [-]");
	cr_assert(ev_is_active(&fake.fleet.sweep));
}

/* ---- hooks of the service ---- */

static void
fail_by_hook(struct slot *slot, const char *why)
{
	close(fake_start(slot));
	memo_fail(slot->memo, "%s", why);
	slot_event(slot, SUPERVISION_EXIT);
}

Test(reactions, a_service_that_objects_to_the_first_start_ends_it)
{
	fail_by_hook(fake_slot(&fake, 0), "no store");
	cr_assert_eq(fake.told.hopeless, 1);
}

Test(reactions, a_service_that_objects_later_is_tried_again)
{
	for (unsigned i = 0; i < 2; i++)
		close(fake_serve(fake_slot(&fake, i)));
	slot_reap(fake_slot(&fake, 0));
	fail_by_hook(fake_slot(&fake, 0), "no store");
	cr_assert_eq(fake.told.hopeless, 0);
	cr_assert_eq(fake_slot(&fake, 0)->state, SUPERVISION_BACKING_OFF);
}

Test(reactions, a_rising_generation_falls_with_the_text_of_the_service)
{
	struct generation *rising;

	for (unsigned i = 0; i < 2; i++)
		close(fake_serve(fake_slot(&fake, i)));
	rising = fake_generation(&fake, GENERATION_RISING);
	fail_by_hook(rising->slots[0], "no store");
	cr_assert_eq(fake.told.fell, 1);
	cr_assert_str_eq(fake.told.why, "no store");
}
