#include "master/fleet/slot.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/fleet/backoff.h"
#include "master/fleet/orders.h"
#include "tests/support/complaint.h"
#include "tests/unit/master/fake_fleet.h"

static struct fake_fleet fake;
static struct slot *slot;

/* Two workers of two hubs, of which none has started; what happens to them is recorded. */
static void
begin(void)
{
	fake_open(&fake, NULL, 2, 2);
	fake_record(&fake);
	slot = fake_slot(&fake, 1);
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(slot, .init = begin, .fini = end);

/* ---- life ---- */

Test(slot, a_ready_worker_serves)
{
	int worker = fake_start(slot);

	fake_say(slot, worker, CHANNEL_READY, 0);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	cr_assert_str_eq(fake_recorded(), "serves 1");
	cr_assert_gt(slot->ready, 0);
	cr_assert(ev_is_active(&slot->healthy));
	fake_say(slot, worker, CHANNEL_READY, 0);
	cr_assert_str_eq(fake_recorded(), "", "once");
	close(worker);
}

Test(slot, the_fleet_hears_of_silence_and_of_life)
{
	close(fake_serve(slot));
	slot_event(slot, SUPERVISION_SILENT);
	slot_event(slot, SUPERVISION_HEARD);
	cr_assert_str_eq(fake_recorded(), "serves 1, suspect 1, rejoined 1");
}

Test(slot, nothing_of_a_dead_worker_is_left_but_what_it_has_counted)
{
	struct slot_hub *second = &slot->hubs[1];
	struct worker_row total;

	close(fake_serve(slot));
	counters_add(&slot->rows[1].accepted, 5);
	counters_add(&slot->rows[1].opened, 5);
	second->is_hung = slot->must_accept = true;
	slot_reap(slot);
	cr_assert_str_eq(fake_recorded(), "serves 1, lost 1, failed 1");
	cr_assert_eq(slot->state, SUPERVISION_BACKING_OFF);
	cr_assert_eq(slot->pid, 0);
	cr_assert_eq(slot->channel, -1);
	cr_assert_null(slot->rows);
	cr_assert_not(second->is_hung);
	cr_assert_not(slot->must_accept);
	cr_assert_not(ev_is_active(&slot->healthy));
	cr_assert_eq(counters_server(fake.counters)->respawns, 1);
	total = counters_total(fake.counters);
	cr_assert_eq(total.accepted, 5);
	cr_assert_eq(counters_open(&total), 0);
	slot_reap(slot);
	cr_assert_str_eq(fake_recorded(), "", "it dies once");
}

static void
dump_often(int worker, int count)
{
	struct channel_message message = {.kind = CHANNEL_DUMPED};

	for (int i = 0; i < count; i++)
		cr_assert_eq(channel_send(worker, &message, -1), 0);
}

Test(slot, a_worker_that_floods_is_heard_in_turns)
{
	int worker = fake_serve(slot);

	dump_often(worker, 2 * SLOT_MESSAGES_AT_ONCE + 1);
	for (unsigned turns = 1; turns <= 2; turns++) {
		ev_invoke(fake.loop, &slot->talk.watcher, EV_READ);
		cr_assert_eq(fake.told.dumped, turns * SLOT_MESSAGES_AT_ONCE);
	}
	close(worker);
}

static unsigned
count_lines(const char *text, const char *what)
{
	unsigned count = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		count++;
	return count;
}

/* A process that has lost its way fills no log. */
Test(slot, what_makes_no_sense_is_logged_once_for_each_process)
{
	const char *heard;

	complaint_listen();
	for (int process = 0; process < 2; process++) {
		int worker = fake_start(slot);

		for (int i = 0; i < 5; i++)
			fake_say(slot, worker, CHANNEL_DRAINED, 2);
		for (int i = 0; i < 1000; i++)
			fake_say(slot, worker, CHANNEL_REOPEN_MISSED, 0);
		close(worker);
		slot_reap(slot);
	}
	heard = complaint_heard();
	cr_assert_eq(
		count_lines(heard, "sent a message of a hub that does not exist"), 2, "%s", heard);
	cr_assert_eq(count_lines(heard, "has no file left for the new log"), 1, "%s", heard);
}

Test(slot, what_is_no_message_deafens_nobody)
{
	int worker = fake_start(slot);

	complaint_listen();
	for (size_t length = 0; length < 3; length++)
		cr_assert_eq(send(worker, "!!", length, 0), (ssize_t)length);
	fake_say(slot, worker, CHANNEL_READY, 0);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	cr_assert_eq(count_lines(complaint_heard(), "sent a record that is no message"), 1);
	close(worker);
	slot_reap(slot);
}

Test(slot, what_it_has_said_is_heard_before_its_death)
{
	int worker = fake_serve(slot);

	dump_often(worker, 2 * SLOT_MESSAGES_AT_ONCE);
	close(worker);
	slot_reap(slot);
	cr_assert_eq(fake.told.dumped, 2 * SLOT_MESSAGES_AT_ONCE);
	cr_assert_eq(slot->pid, 0);
}

/* ---- pauses ---- */

static double
pause_of(void)
{
	return ev_timer_remaining(fake.loop, &slot->respawn);
}

Test(slot, one_that_served_for_long_is_replaced_at_once)
{
	close(fake_serve(slot));
	slot->ready -= CLOCK_SECOND;
	slot_reap(slot);
	cr_assert(ev_is_active(&slot->respawn));
	cr_assert_leq(pause_of(), 0);
	cr_assert_eq(slot->failures, 0);
}

Test(slot, the_pause_doubles_while_others_serve_and_can_be_hastened)
{
	struct slot *other = fake_slot(&fake, 0);

	close(fake_serve(other));
	fake.fleet.occupants[0].slot = other;
	cr_assert_eq(sockets_listen(&fake.sockets, 0), 0);
	for (unsigned i = 0; i < 4; i++) {
		close(fake_start(slot));
		slot_reap(slot);
		cr_assert_float_eq(pause_of(), BACKOFF_FIRST * (1 << i), 0.01);
	}
	cr_assert_eq(slot->failures, 4);
	slot_hasten(slot, 1);
	cr_assert_float_eq(pause_of(), BACKOFF_FIRST * 8, 0.01, "it is shorter");
	slot_hasten(slot, BACKOFF_MAX_ALONE);
	cr_assert_float_eq(pause_of(), BACKOFF_MAX_ALONE, 0.01);
}

Test(slot, hubs_that_hang_are_none_that_serve_meanwhile)
{
	struct slot *other = fake_slot(&fake, 0);

	close(fake_serve(other));
	fake.fleet.occupants[0].slot = other;
	cr_assert_eq(sockets_listen(&fake.sockets, 0), 0);
	other->hubs[0].silent = FLEET_LIFE;
	for (unsigned i = 0; i < 4; i++) {
		close(fake_start(slot));
		slot_reap(slot);
	}
	cr_assert_float_eq(pause_of(), BACKOFF_MAX_ALONE, 0.01);
}

Test(slot, hubs_that_were_long_in_getting_ready_live)
{
	struct slot_hub *first = &slot->hubs[0], *second = &slot->hubs[1];

	close(fake_start(slot));
	first->silent = second->silent = 20 * CLOCK_SECOND;
	slot_event(slot, SUPERVISION_ALL_READY);
	cr_assert_eq(first->silent, 0);
	cr_assert_eq(second->silent, 0);
}

Test(slot, a_minute_of_serving_forgives)
{
	close(fake_serve(slot));
	slot->failures = 7;
	cr_assert_float_eq(ev_timer_remaining(fake.loop, &slot->healthy), 60, 0.1);
	fake_fire(&fake, &slot->healthy);
	cr_assert_eq(slot->failures, 0);
}

Test(slot, where_the_table_of_rows_is_full_a_start_fails_and_leaves_nothing)
{
	cr_assert_not_null(counters_claim(fake.counters, 9, 1, COUNTERS_ROWS - 1));
	slot_event(slot, SUPERVISION_START);
	cr_assert_str_eq(fake_recorded(), "failed 1");
	cr_assert_eq(slot->state, SUPERVISION_BACKING_OFF);
	cr_assert_eq(slot->pid, 0);
	cr_assert_eq(slot->channel, -1);
	cr_assert(ev_is_active(&slot->respawn));
	/* The same after the pause. */
	fake_fire(&fake, &slot->respawn);
	cr_assert_str_eq(fake_recorded(), "failed 1");
	cr_assert_eq(slot->failures, 2);
	cr_assert_eq(fake.counters->used, COUNTERS_ROWS - 1);
}

/* ---- leaving ---- */

Test(slot, one_that_leaves_is_told_how_and_not_replaced)
{
	int worker = fake_serve(slot);

	slot_leave(slot, CHANNEL_HANDOVER);
	cr_assert_eq(slot->state, SUPERVISION_DRAINING);
	cr_assert_not(ev_is_active(&slot->healthy));
	cr_assert_eq(fake_heard(worker, CHANNEL_HANDOVER), 1);
	slot_leave(slot, CHANNEL_STOP);
	cr_assert_eq(fake_heard(worker, CHANNEL_STOP), 1);
	slot_reap(slot);
	cr_assert_str_eq(fake_recorded(), "serves 1, lost 1, gone 1");
	cr_assert_eq(slot->state, SUPERVISION_DEAD);
	cr_assert_not(ev_is_active(&slot->respawn));
	cr_assert_eq(counters_server(fake.counters)->respawns, 0);
	close(worker);
}

Test(slot, one_that_leaves_in_its_pause_is_gone)
{
	close(fake_start(slot));
	slot_reap(slot);
	slot_leave(slot, CHANNEL_DRAIN);
	cr_assert_str_eq(fake_recorded(), "lost 1, failed 1, gone 1");
	cr_assert_not(ev_is_active(&slot->respawn));
}

Test(slot, that_a_hub_has_drained_matters_only_when_it_was_to)
{
	int worker = fake_serve(slot);

	fake_say(slot, worker, CHANNEL_DRAINED, 1);
	cr_assert_str_eq(fake_recorded(), "serves 1");
	slot_leave(slot, CHANNEL_DRAIN);
	fake_say(slot, worker, CHANNEL_DRAINED, 1);
	fake_say(slot, worker, CHANNEL_DRAINED, 7);
	cr_assert_str_eq(fake_recorded(), "drained 1.1", "it has no hub 7");
	close(worker);
}

Test(slot, a_kill_is_no_news)
{
	slot_kill(slot);
	cr_assert_not(slot->is_killed, "there is no process");
	close(fake_serve(slot));
	slot_kill(slot);
	cr_assert(slot->is_killed);
}

/* ---- messages ---- */

Test(slot, what_a_worker_has_written_is_told_to_the_owner)
{
	int worker = fake_serve(slot);

	fake_say(slot, worker, CHANNEL_DUMPED, 1);
	cr_assert_eq(fake.told.dumped, 1);
	close(worker);
}

Test(slot, what_none_of_its_hubs_can_write_is_told_to_the_owner)
{
	int worker = fake_serve(slot);

	fake_say(slot, worker, CHANNEL_DUMP_MISSED, 0);
	cr_assert_eq(fake.told.dump_missed, 2, "both of its hubs");
	orders_catch_up(slot);
	cr_assert_eq(fake_heard(worker, CHANNEL_REOPEN), 0, "that is another file");
	close(worker);
}
