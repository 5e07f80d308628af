#include "master/fleet/orders.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "master/fleet/slot.h"
#include "tests/unit/master/fake_fleet.h"

static struct fake_fleet fake;
static struct slot *slot;

/* What happens to the worker is recorded; so nobody else tells it anything. */
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

TestSuite(orders, .init = begin, .fini = end);

Test(orders, a_worker_that_does_not_read_is_told_later)
{
	struct channel_message filler = {.kind = CHANNEL_QUIT};
	int worker = fake_serve(slot);

	while (orders_send(slot, &filler, -1))
		continue;
	orders_accept(slot);
	cr_assert(slot->must_accept);
	cr_assert_eq(fake_heard(worker, CHANNEL_ACCEPT), 0);
	orders_catch_up(slot);
	cr_assert_not(slot->must_accept);
	orders_catch_up(slot);
	cr_assert_eq(fake_heard(worker, CHANNEL_ACCEPT), 1, "once");
	/* One that is to leave is not told any more that it may accept. */
	while (orders_send(slot, &filler, -1))
		continue;
	orders_accept(slot);
	slot_leave(slot, CHANNEL_STOP);
	cr_assert(slot->must_leave && !slot->must_accept);
	fake_heard(worker, CHANNEL_STOP);
	orders_catch_up(slot);
	cr_assert_eq(fake_heard(worker, CHANNEL_STOP), 1);
	close(worker);
}

/* The kinds of both are one, so the worker tells them apart by the value. */
Test(orders, the_access_log_is_given_beside_the_log)
{
	struct channel_message message;
	int worker = fake_serve(slot), file;

	slot->generation->fleet->access_file = STDOUT_FILENO;
	orders_reopen(slot, CHANNEL_ACCESS_LOG);
	cr_assert_not(slot->must_reopen[CHANNEL_ACCESS_LOG] || slot->must_reopen[CHANNEL_LOG]);
	do
		cr_assert_eq(channel_receive(worker, &message, &file), CHANNEL_MESSAGE);
	while (message.kind != CHANNEL_REOPEN);
	cr_assert_eq(message.value, CHANNEL_ACCESS_LOG);
	cr_assert_neq(file, -1);
	close(file);
	/* It had no file left. */
	message.kind = CHANNEL_REOPEN_MISSED;
	message.hub = 0;
	cr_assert_eq(channel_send(worker, &message, -1), 0);
	ev_invoke(slot->generation->fleet->loop, &slot->talk.watcher, EV_READ);
	cr_assert(slot->must_reopen[CHANNEL_ACCESS_LOG] && !slot->must_reopen[CHANNEL_LOG]);
	/* What a stray write has made of a worker's message is nothing. */
	message.value = INT64_MIN;
	cr_assert_eq(channel_send(worker, &message, -1), 0);
	ev_invoke(slot->generation->fleet->loop, &slot->talk.watcher, EV_READ);
	orders_catch_up(slot);
	cr_assert_not(slot->must_reopen[CHANNEL_ACCESS_LOG] || slot->must_reopen[CHANNEL_LOG]);
	/* It is closed meanwhile. */
	fake_heard(worker, CHANNEL_REOPEN);
	slot->generation->fleet->access_file = 0;
	orders_reopen(slot, CHANNEL_ACCESS_LOG);
	cr_assert_eq(fake_heard(worker, CHANNEL_REOPEN), 0);
	close(worker);
}

Test(orders, a_log_that_could_not_be_given_is_given_later)
{
	struct channel_message filler = {.kind = CHANNEL_QUIT},
			       missed = {.kind = CHANNEL_REOPEN_MISSED};
	int worker = fake_serve(slot);

	while (orders_send(slot, &filler, -1))
		continue;
	orders_reopen(slot, CHANNEL_LOG);
	cr_assert(slot->must_reopen[CHANNEL_LOG]);
	cr_assert_eq(fake_heard(worker, CHANNEL_REOPEN), 0);
	orders_catch_up(slot);
	orders_catch_up(slot);
	cr_assert_eq(fake_heard(worker, CHANNEL_REOPEN), 1, "once");
	/* It had no file left. */
	cr_assert_eq(channel_send(worker, &missed, -1), 0);
	ev_invoke(slot->generation->fleet->loop, &slot->talk.watcher, EV_READ);
	orders_catch_up(slot);
	cr_assert_eq(fake_heard(worker, CHANNEL_REOPEN), 1);
	close(worker);
}

Test(orders, a_worker_that_never_has_room_for_the_log_is_given_up)
{
	struct channel_message missed = {.kind = CHANNEL_REOPEN_MISSED};
	int worker = fake_serve(slot), told = 0, more = 1;

	orders_reopen(slot, CHANNEL_LOG);
	while (told < 1000 && (more = fake_heard(worker, CHANNEL_REOPEN)) > 0) {
		told += more;
		cr_assert_eq(channel_send(worker, &missed, -1), 0);
		ev_invoke(slot->generation->fleet->loop, &slot->talk.watcher, EV_READ);
		orders_catch_up(slot);
	}
	cr_assert_lt(told, 1000);
	cr_assert_gt(told, 100);
	close(worker);
}
