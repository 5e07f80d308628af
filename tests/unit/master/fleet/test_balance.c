#include "master/fleet/balance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "master/fleet/permits.h"
#include "master/fleet/seating.h"
#include "master/fleet/slot.h"
#include "tests/unit/master/fake_fleet.h"
#include "tests/unit/master/seats.h"

#define PEERS 60 /* by hash some come to each of four seats */

static struct fake_fleet fake;

/* Four workers of one hub, all ready and with permits. */
static void
begin_at(const char *address)
{
	fake_open(&fake, address, 4, 1);
	for (unsigned i = 0; i < 4; i++)
		fake_slot(&fake, i)->capacity = 100;
	for (unsigned i = 0; i < 4; i++)
		close(fake_serve(fake_slot(&fake, i)));
	permits_share(&fake.fleet);
	balance_steer(&fake.fleet);
}

static void
begin(void)
{
	begin_at(NULL);
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(balance, .init = begin, .fini = end);

static unsigned
weight(unsigned seat)
{
	return fake.fleet.occupants[seat].weight;
}

static struct worker_row *
row(unsigned worker)
{
	return fake_slot(&fake, worker)->rows;
}

/* ---- shares ---- */

Test(balance, equals_get_equal_shares_by_a_program)
{
	cr_assert(fake.fleet.is_steered);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(weight(seat), STEERING_WEIGHT_MAX / 4);
}

Test(balance, who_is_gone_hangs_or_has_no_permits_gets_nothing)
{
	seating_leave(fake_slot(&fake, 0), 0);
	fake_slot(&fake, 1)->hubs[0].is_hung = true;
	permits_revoke(fake_slot(&fake, 2));
	balance_steer(&fake.fleet);
	cr_assert_eq(weight(0), 0);
	cr_assert_eq(weight(1), 0);
	cr_assert_eq(weight(2), 0);
	cr_assert_eq(weight(3), STEERING_WEIGHT_MAX);
}

Test(balance, a_hub_with_fewer_connections_gets_more_and_its_queue_counts)
{
	for (unsigned i = 0; i < 3; i++)
		counters_add(&row(i)->opened, 100);
	counters_add(&row(3)->opened, 60);
	fake.fleet.occupants[3].open = 60;
	fake.fleet.occupants[3].queued = 20;
	balance_steer(&fake.fleet);
	cr_assert_eq(weight(0), 0);
	cr_assert_eq(weight(3), STEERING_WEIGHT_MAX);
	fake.fleet.occupants[3].queued = 40;
	balance_steer(&fake.fleet);
	cr_assert_eq(weight(0), weight(3));
}

Test(balance, where_nobody_has_permits_those_who_come_wait_in_queues_of_the_same_length)
{
	for (unsigned i = 0; i < 4; i++)
		permits_revoke(fake_slot(&fake, i));
	fake_slot(&fake, 1)->hubs[0].is_hung = true;
	balance_steer(&fake.fleet);
	cr_assert_eq(weight(1), 0);
	cr_assert_gt(weight(0), 0);
	cr_assert_eq(weight(2), weight(0));
	cr_assert_eq(weight(3), weight(0));
	fake.fleet.occupants[0].queued = fake.fleet.occupants[3].queued = 8;
	balance_steer(&fake.fleet);
	cr_assert_eq(weight(0), 0);
	cr_assert_eq(weight(2), STEERING_WEIGHT_MAX);
	cr_assert_eq(weight(3), 0);
}

Test(balance, permits_that_a_hub_needs_for_its_queue_are_not_for_those_who_come)
{
	fake.fleet.occupants[2].queued = (unsigned)row(2)->permits;
	for (unsigned i = 0; i < 4; i++)
		counters_add(&row(i)->opened, i == 2 ? 0 : 200);
	balance_steer(&fake.fleet);
	cr_assert_eq(weight(2), 0);
	fake.fleet.occupants[2].queued--;
	balance_steer(&fake.fleet);
	cr_assert_gt(weight(2), 0);
}

Test(balance, where_nobody_accepts_all_stays_as_it_was)
{
	for (unsigned i = 0; i < 4; i++)
		seating_leave(fake_slot(&fake, i), 0);
	balance_steer(&fake.fleet);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(weight(seat), STEERING_WEIGHT_MAX / 4);
}

Test(balance, a_frozen_fleet_is_not_steered)
{
	fake_slot(&fake, 1)->hubs[0].is_hung = true;
	fake.fleet.is_frozen = true;
	balance_steer(&fake.fleet);
	cr_assert_eq(weight(1), STEERING_WEIGHT_MAX / 4);
	fake.fleet.is_frozen = false;
}

/* ---- the kernel ---- */

/* Only that hub is well; all of some clients come to its seat. */
static void
assert_all_go_to(unsigned worker)
{
	unsigned before = sockets_queued(&fake.sockets, worker);
	int clients[8];

	for (unsigned i = 0; i < 4; i++)
		fake_slot(&fake, i)->hubs[0].is_hung = i != worker;
	balance_steer(&fake.fleet);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(weight(i) > 0, i == worker);
	for (int i = 0; i < 8; i++)
		clients[i] = fake_client(&fake);
	cr_assert_eq(sockets_queued(&fake.sockets, worker), before + 8, "worker %u", worker);
	for (int i = 0; i < 8; i++)
		close(clients[i]);
}

Test(balance, the_kernel_does_as_the_weights_say_also_after_a_seat_has_left)
{
	for (unsigned worker = 0; worker < 4; worker++)
		assert_all_go_to(worker);
	/* Closing renumbers: the fourth comes into the place of the first. */
	seating_leave(fake_slot(&fake, 0), 0);
	sockets_leave_group(&fake.sockets, 0);
	for (unsigned worker = 1; worker < 4; worker++)
		assert_all_go_to(worker);
}

/* How many of some clients come to that seat by the program that the kernel has. */
static unsigned
come_to(unsigned seat)
{
	unsigned before = sockets_queued(&fake.sockets, seat);

	for (int i = 0; i < 8; i++)
		close(fake_client(&fake));
	return sockets_queued(&fake.sockets, seat) - before;
}

/* Attaches a program by which all go to that seat, as nobody does. */
static void
meddle(unsigned seat)
{
	unsigned weights[4] = {0};

	for (unsigned i = 0; i < fake.sockets.listening; i++)
		weights[i] = fake.sockets.order[i] == seat;
	cr_assert_eq(
		steering_attach(seats_socket(&fake.sockets, seat), weights, fake.sockets.listening),
		0);
	cr_assert_eq(come_to(seat), 8);
}

Test(balance, a_program_is_attached_only_if_it_is_another_one)
{
	for (unsigned i = 1; i < 4; i++)
		fake_slot(&fake, i)->hubs[0].is_hung = true;
	balance_steer(&fake.fleet);
	meddle(2);
	balance_steer(&fake.fleet);
	cr_assert_eq(come_to(2), 8, "the kernel has the same already");
	fake_slot(&fake, 0)->hubs[0].is_hung = true;
	fake_slot(&fake, 1)->hubs[0].is_hung = false;
	balance_steer(&fake.fleet);
	cr_assert_eq(come_to(1), 8, "other weights");
	meddle(2);
	seating_leave(fake_slot(&fake, 3), 0);
	sockets_leave_group(&fake.sockets, 3);
	balance_steer(&fake.fleet);
	cr_assert_eq(come_to(1), 8, "another group");
	meddle(2);
	balance_inherit(&fake.fleet, true);
	balance_steer(&fake.fleet);
	cr_assert_eq(come_to(1), 8, "another master's");
}

Test(balance, by_hash_a_program_is_there_only_while_somebody_is_away)
{
	fake.fleet.serving->config.balances = false;
	counters_add(&row(0)->opened, 1000);
	balance_steer(&fake.fleet);
	cr_assert_not(fake.fleet.is_steered);
	assert_all_go_to(2);
	cr_assert(fake.fleet.is_steered);
	for (unsigned i = 0; i < 4; i++)
		fake_slot(&fake, i)->hubs[0].is_hung = false;
	balance_steer(&fake.fleet);
	cr_assert_not(fake.fleet.is_steered);
}

/* ---- another master's group ---- */

Test(balance, with_the_order_of_its_group_another_master_goes_on_to_steer)
{
	fake.fleet.is_steered = false;
	fleet_inherit(&fake.fleet, true);
	cr_assert_str_eq(fake_seats(&fake), "- - - -");
	cr_assert(fake.fleet.is_steered && fake.fleet.can_steer);
	for (unsigned i = 0; i < 4; i++)
		seating_sit(fake_slot(&fake, i));
	assert_all_go_to(2);
}

Test(balance, without_the_order_nobody_is_steered_any_more)
{
	int clients[PEERS];

	/* The former master's program sends all to one. */
	assert_all_go_to(2);
	fake.fleet.is_steered = false;
	fleet_inherit(&fake.fleet, false);
	cr_assert_not(fake.fleet.can_steer);
	for (unsigned i = 0; i < 4; i++)
		seating_sit(fake_slot(&fake, i));
	balance_steer(&fake.fleet);
	cr_assert_not(fake.fleet.is_steered);
	for (int i = 0; i < PEERS; i++)
		clients[i] = fake_client(&fake);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_gt(sockets_queued(&fake.sockets, seat), 0, "seat %u", seat);
	for (int i = 0; i < PEERS; i++)
		close(clients[i]);
}

Test(balance, of_a_group_without_members_no_order_is_needed)
{
	for (unsigned seat = 0; seat < 4; seat++)
		sockets_leave_group(&fake.sockets, seat);
	fleet_inherit(&fake.fleet, false);
	cr_assert(fake.fleet.can_steer);
}

/* ---- arrivals ---- */

Test(balance, arrivals_are_the_most_of_late_and_fade)
{
	counters_add(&row(0)->accepted, 30);
	counters_add(&row(1)->accepted, 10);
	balance_measure(&fake.fleet);
	cr_assert_float_eq(fake.fleet.arrivals, 40, 1e-9);
	counters_add(&row(0)->accepted, 5);
	balance_measure(&fake.fleet);
	cr_assert_float_eq(fake.fleet.arrivals, 28, 1e-9);
	counters_add(&row(0)->accepted, 100);
	balance_measure(&fake.fleet);
	cr_assert_float_eq(fake.fleet.arrivals, 100, 1e-9);
}

/* So many leave one hub and come to another within a tick. */
static void
replace(unsigned from, unsigned to, unsigned count)
{
	counters_add(&row(from)->closed, count);
	counters_add(&row(to)->accepted, count);
	counters_add(&row(to)->opened, count);
	balance_measure(&fake.fleet);
	balance_steer(&fake.fleet);
}

Test(balance, clients_that_reconnect_in_step_are_not_sent_to_and_fro)
{
	counters_add(&row(0)->accepted, 100);
	counters_add(&row(0)->opened, 100);
	balance_measure(&fake.fleet);
	/* One that comes, and one that leaves, are no such thing. */
	for (int i = 0; i < 40; i++)
		balance_measure(&fake.fleet);
	replace(0, 0, 1);
	cr_assert_eq(weight(0), 0);
	replace(0, 1, 100);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(weight(seat), STEERING_WEIGHT_MAX / 4);
	/* Half a minute later a part of them is expected to stay. */
	for (int i = 0; i < 600; i++)
		balance_measure(&fake.fleet);
	balance_steer(&fake.fleet);
	cr_assert_float_eq(fake.fleet.replaced, 50, 1);
	cr_assert_lt(weight(1), STEERING_WEIGHT_MAX / 8);
}

Test(balance, who_is_queued_has_arrived_and_is_not_counted_again_once_it_is_accepted)
{
	fake.fleet.occupants[1].queued = 50;
	balance_measure(&fake.fleet);
	cr_assert_float_eq(fake.fleet.arrivals, 50, 1e-9);
	fake.fleet.occupants[1].queued = 0;
	counters_add(&row(1)->accepted, 50);
	balance_measure(&fake.fleet);
	cr_assert_float_eq(fake.fleet.arrivals, 35, 1e-9);
	/* Nor by who weighs it, however late. */
	fake.fleet.occupants[1].queued = 50;
	counters_add(&row(1)->opened, 50);
	for (unsigned worker = 0; worker < 4; worker++)
		if (worker != 1)
			counters_add(&row(worker)->opened, 50);
	balance_steer(&fake.fleet);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(weight(seat), STEERING_WEIGHT_MAX / 4);
}

/* ---- datagrams ---- */

/* The seats to which datagrams are steered. */
static const char *
datagram_seats(void)
{
	static char text[64];
	size_t length = 0;

	for (unsigned seat = 0; seat < 4; seat++)
		if (fake.fleet.occupants[seat].has_datagrams)
			length += (size_t)snprintf(text + length, sizeof text - length, "%s%u",
				length > 0 ? " " : "", seat);
	return text;
}

Test(balance, datagrams_go_where_somebody_answers)
{
	end();
	begin_at("udp:127.0.0.1:0");
	cr_assert_str_eq(datagram_seats(), "0 1 2 3");
	cr_assert_eq(fake.fleet.datagram_seats, 4);
	seating_leave(fake_slot(&fake, 1), 0);
	fake_slot(&fake, 2)->hubs[0].is_hung = true;
	balance_steer(&fake.fleet);
	cr_assert_str_eq(datagram_seats(), "0 3");
	/* Without anybody the program stays. */
	seating_leave(fake_slot(&fake, 0), 0);
	seating_leave(fake_slot(&fake, 3), 0);
	balance_steer(&fake.fleet);
	cr_assert_str_eq(datagram_seats(), "0 3");
}
