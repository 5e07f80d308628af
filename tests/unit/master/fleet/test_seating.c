#include "master/fleet/seating.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/fleet/slot.h"
#include "tests/unit/master/fake_fleet.h"
#include "tests/unit/master/seats.h"

static struct fake_fleet fake;
static int ends[3]; /* of the workers */

/* Three workers of two hubs, all ready. */
static void
begin(void)
{
	fake_open(&fake, NULL, 3, 2);
	for (unsigned i = 0; i < 3; i++)
		ends[i] = fake_serve(fake_slot(&fake, i));
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(seating, .init = begin, .fini = end);

static const struct occupant *
at(unsigned seat)
{
	return &fake.fleet.occupants[seat];
}

/* A client in the queue of that seat, on which nobody sits any more. */
static int
strand(unsigned seat)
{
	unsigned weights[6] = {0};

	for (unsigned i = 0; i < fake.sockets.listening; i++)
		weights[i] = fake.sockets.order[i] == seat;
	cr_assert_eq(
		steering_attach(seats_socket(&fake.sockets, seat), weights, fake.sockets.listening),
		0);
	seating_leave(at(seat)->slot, at(seat)->hub);
	cr_assert_null(at(seat)->slot);
	return fake_client(&fake);
}

static unsigned
adoptions(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 3; i++)
		count += fake_heard(ends[i], CHANNEL_ADOPT);
	return count;
}

/* ---- who sits where ---- */

Test(seating, the_hubs_of_a_ready_worker_sit_on_seats_that_listen)
{
	cr_assert_str_eq(fake_seats(&fake), "0.0 0.1 1.0 1.1 2.0 2.1");
}

Test(seating, another_generation_sits_in_the_place_of_the_former_one)
{
	struct slot *former = fake_slot(&fake, 0);
	struct slot *slot = fake_generation(&fake, GENERATION_RISING)->slots[0];

	close(fake_start(slot));
	cr_assert(seating_sit(slot));
	cr_assert_str_eq(fake_seats(&fake), "+0.0 +0.1 1.0 1.1 2.0 2.1");
	/* That the former one leaves does not touch who sits there now. */
	seating_leave(former, 1);
	cr_assert_str_eq(fake_seats(&fake), "+0.0 +0.1 1.0 1.1 2.0 2.1");
	seating_leave(slot, 1);
	cr_assert_str_eq(fake_seats(&fake), "+0.0 - 1.0 1.1 2.0 2.1");
}

Test(seating, a_worker_whose_seat_cannot_listen_is_killed)
{
	struct slot *slot = fake_generation(&fake, GENERATION_RISING)->slots[0];
	int *second = &fake.sockets.seats[1].fds[0], fd = *second;

	close(fake_start(slot));
	sockets_leave_group(&fake.sockets, 0);
	sockets_leave_group(&fake.sockets, 1);
	*second = -1;
	cr_assert_not(seating_sit(slot));
	cr_assert(slot->is_killed);
	cr_assert_str_eq(fake_seats(&fake), "+0.0 [0.1] 1.0 1.1 2.0 2.1");
	*second = fd;
}

/* ---- adoption ---- */

Test(seating, what_is_queued_where_nobody_sits_is_sent_to_a_worker)
{
	struct channel_message message = {0};
	int client, served, listener = -1;

	adoptions();
	client = strand(0);
	seating_rescue(&fake.fleet);
	for (unsigned i = 0; i < 3 && message.kind != CHANNEL_ADOPT; i++)
		channel_receive(ends[i], &message, &listener);
	cr_assert_eq(message.kind, CHANNEL_ADOPT);
	cr_assert_neq(listener, -1);
	served = accept(listener, NULL, NULL);
	cr_assert_neq(served, -1);
	close(served);
	close(listener);
	seating_rescue(&fake.fleet);
	cr_assert_eq(adoptions(), 0, "the queue is empty");
	close(client);
}

/* Clients in the queue of that seat, whose hub stays. */
static void
queue_at(unsigned seat, int *clients, unsigned count)
{
	const struct occupant before = *at(seat);

	clients[0] = strand(seat);
	fake.fleet.occupants[seat] = before;
	for (unsigned i = 1; i < count; i++)
		clients[i] = fake_client(&fake);
}

/* How many clients each worker was asked to accept: "4 0 3". */
static const char *
asked(void)
{
	static char text[64];
	size_t length = 0;

	for (unsigned i = 0; i < 3; i++) {
		struct channel_message message;
		unsigned count = 0;
		int descriptor;

		while (channel_receive(ends[i], &message, &descriptor) == 1) {
			count += message.kind == CHANNEL_ADOPT ? message.count : 0;
			if (descriptor != -1)
				close(descriptor);
		}
		length += (size_t)snprintf(
			text + length, sizeof text - length, "%s%u", i > 0 ? " " : "", count);
	}
	return text;
}

static void
close_all(const int *clients, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(clients[i]);
}

static struct worker_row *
row(unsigned seat)
{
	return &fake_slot(&fake, seat / 2)->rows[seat % 2];
}

Test(seating, a_queue_is_adopted_by_workers_whose_first_hub_is_well_and_no_more_than_is_queued)
{
	int clients[7];

	queue_at(5, clients, 7);
	fake_slot(&fake, 2)->hubs[1].is_hung = true;
	fake_slot(&fake, 1)->hubs[0].silent = 300 * CLOCK_MILLISECOND;
	adoptions();
	seating_rescue(&fake.fleet);
	cr_assert_str_eq(asked(), "4 0 3");
	/* By what they have open. */
	counters_add(&row(0)->opened, 5);
	seating_rescue(&fake.fleet);
	cr_assert_str_eq(asked(), "1 0 6");
	close_all(clients, 7);
}

Test(seating, clients_of_a_hub_without_permits_are_accepted_by_workers_that_have_some)
{
	int clients[4];

	queue_at(1, clients, 4);
	adoptions();
	seating_rescue(&fake.fleet);
	cr_assert_eq(adoptions(), 0, "it will accept them itself");
	row(1)->permits = 1;
	row(0)->permits = row(2)->permits = row(3)->permits = row(4)->permits = 0;
	seating_rescue(&fake.fleet);
	cr_assert_str_eq(asked(), "0 0 3", "one it can accept itself");
	/* Permits that a hub needs for its own queue are not for others. */
	row(5)->permits = 2;
	fake.fleet.occupants[5].queued = 1;
	seating_relieve(&fake.fleet);
	cr_assert_str_eq(asked(), "0 0 1");
	close_all(clients, 4);
}

Test(seating, two_queues_are_not_sent_to_the_same_permits)
{
	int clients[2][3];

	queue_at(0, clients[0], 3);
	queue_at(1, clients[1], 3);
	row(0)->permits = row(1)->permits = 0;
	for (unsigned seat = 2; seat < 6; seat++)
		row(seat)->permits = 1;
	adoptions();
	seating_rescue(&fake.fleet);
	cr_assert_str_eq(asked(), "0 2 2");
	close_all(clients[0], 3);
	close_all(clients[1], 3);
}

Test(seating, at_the_end_a_queue_is_adopted_whole_since_nobody_looks_again)
{
	struct channel_message message = {0};
	int client, descriptor = -1;

	client = strand(0);
	adoptions();
	fake.fleet.is_leaving = true;
	seating_rescue(&fake.fleet);
	for (unsigned i = 0; i < 3 && message.kind != CHANNEL_ADOPT; i++)
		channel_receive(ends[i], &message, &descriptor);
	cr_assert_eq(message.count, UINT32_MAX);
	fake.fleet.is_leaving = false;
	close(descriptor);
	close(client);
}

Test(seating, the_queue_of_a_hub_that_hangs_is_adopted_at_each_tick)
{
	int client = strand(3);

	fake.fleet.occupants[3].slot = fake_slot(&fake, 1);
	adoptions();
	seating_tick(&fake.fleet, 0);
	cr_assert_eq(at(3)->queued, 1);
	seating_relieve(&fake.fleet);
	cr_assert_eq(adoptions(), 0, "it will accept itself");
	fake_slot(&fake, 1)->hubs[1].is_hung = true;
	for (int i = 0; i < 2; i++) {
		seating_tick(&fake.fleet, 0);
		seating_relieve(&fake.fleet);
		cr_assert_eq(adoptions(), 1);
	}
	close(client);
}

Test(seating, with_nobody_to_adopt_a_queue_waits)
{
	int client = strand(0);

	adoptions();
	for (unsigned i = 0; i < 3; i++)
		fake_slot(&fake, i)->state = SUPERVISION_STARTING;
	seating_rescue(&fake.fleet);
	cr_assert_eq(adoptions(), 0);
	close(client);
}

/* Which slot was told to adopt, and how often; -1 if none or several were. */
static int
who_adopts(unsigned times)
{
	int who = -1;

	for (int i = 0; i < 3; i++) {
		unsigned count = fake_heard(ends[i], CHANNEL_ADOPT);

		if (count > 0 && (who != -1 || count != times))
			return -1;
		who = count > 0 ? i : who;
	}
	return who;
}

Test(seating, when_all_drain_one_worker_has_the_queue_of_a_dead_one_until_it_dies_too)
{
	struct slot *dead = fake_slot(&fake, 0), *poor = fake_slot(&fake, 1),
		    *rich = fake_slot(&fake, 2);
	int client = strand(0);

	fleet_leave(&fake.fleet, CHANNEL_DRAIN);
	seating_retire(&fake.fleet, 0);
	adoptions();
	dead->state = SUPERVISION_DEAD;
	poor->rows[1].permits = 1;
	rich->rows[0].permits = 2;
	for (int i = 0; i < 2; i++) {
		seating_tick(&fake.fleet, 0);
		seating_relieve(&fake.fleet);
	}
	cr_assert_eq(who_adopts(2), 2, "it has more permits");
	cr_assert_eq(at(0)->rescuer, rich);
	poor->rows[1].permits = 9;
	seating_relieve(&fake.fleet);
	cr_assert_eq(who_adopts(1), 2, "and keeps the queue");
	rich->state = SUPERVISION_DEAD;
	seating_forget(rich);
	cr_assert_null(at(0)->rescuer);
	seating_relieve(&fake.fleet);
	cr_assert_eq(who_adopts(1), 1);
	/* Who only hands over, or is to stop, rescues nobody. */
	poor->leave_message = CHANNEL_STOP;
	seating_relieve(&fake.fleet);
	cr_assert_eq(adoptions(), 0);
	close(client);
}

/* ---- retiring ---- */

Test(seating, a_seat_leaves_when_its_queue_was_empty_for_as_long_as_a_handshake_takes)
{
	int64_t now = 1000 * CLOCK_SECOND;

	cr_assert_str_eq(seats_order(&fake.sockets), "0 1 2 3 4 5");
	seating_retire(&fake.fleet, 1);
	seating_tick(&fake.fleet, now);
	seating_tick(&fake.fleet, now + 2900 * CLOCK_MILLISECOND);
	cr_assert_str_eq(fake_seats(&fake), "0.0 -! 1.0 1.1 2.0 2.1");
	seating_tick(&fake.fleet, now + 3000 * CLOCK_MILLISECOND);
	cr_assert_str_eq(fake_seats(&fake), "0.0 [-] 1.0 1.1 2.0 2.1");
	/* Closing renumbers: the last member has moved to its place. */
	cr_assert_str_eq(seats_order(&fake.sockets), "0 5 2 3 4");
}

Test(seating, when_the_server_ends_it_leaves_soon)
{
	fake.fleet.is_leaving = true;
	seating_retire(&fake.fleet, 1);
	seating_tick(&fake.fleet, CLOCK_SECOND);
	seating_tick(&fake.fleet, CLOCK_SECOND + 200 * CLOCK_MILLISECOND);
	cr_assert_str_eq(fake_seats(&fake), "0.0 [-] 1.0 1.1 2.0 2.1");
	fake.fleet.is_leaving = false;
}

Test(seating, a_seat_with_a_queue_does_not_leave)
{
	int client = strand(1), served;

	seating_retire(&fake.fleet, 1);
	seating_tick(&fake.fleet, CLOCK_SECOND);
	seating_tick(&fake.fleet, 10 * CLOCK_SECOND);
	cr_assert_str_eq(fake_seats(&fake), "0.0 -! 1.0 1.1 2.0 2.1");
	/* It is emptied; from then on the time counts. */
	served = accept(seats_socket(&fake.sockets, 1), NULL, NULL);
	cr_assert_neq(served, -1);
	seating_tick(&fake.fleet, 20 * CLOCK_SECOND);
	cr_assert_str_eq(fake_seats(&fake), "0.0 -! 1.0 1.1 2.0 2.1");
	seating_tick(&fake.fleet, 23 * CLOCK_SECOND);
	cr_assert_str_eq(fake_seats(&fake), "0.0 [-] 1.0 1.1 2.0 2.1");
	close(served);
	close(client);
}

Test(seating, two_that_retire_at_once_both_leave_and_who_sits_on_one_keeps_it)
{
	seating_retire(&fake.fleet, 0);
	seating_retire(&fake.fleet, 4);
	seating_retire(&fake.fleet, 5);
	/* A worker comes back to one of them. */
	seating_sit(fake_slot(&fake, 0));
	seating_tick(&fake.fleet, CLOCK_SECOND);
	seating_tick(&fake.fleet, 5 * CLOCK_SECOND);
	cr_assert_str_eq(fake_seats(&fake), "0.0 0.1 1.0 1.1 [-] [-]");
	/* When that one dies its seat waits for the next. */
	seating_leave(fake_slot(&fake, 0), 0);
	seating_tick(&fake.fleet, 10 * CLOCK_SECOND);
	seating_tick(&fake.fleet, 20 * CLOCK_SECOND);
	cr_assert_str_eq(fake_seats(&fake), "- 0.1 1.0 1.1 [-] [-]");
}
