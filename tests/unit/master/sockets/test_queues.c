#include "master/sockets/queues.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/sockets/steering.h"
#include "tests/unit/master/seats.h"

static struct sockets sockets;

/* Four seats that listen. */
static void
begin(void)
{
	seats_open(&sockets, 4);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(sockets_listen(&sockets, seat), 0);
}

static void
end(void)
{
	sockets_close(&sockets);
}

TestSuite(queues, .init = begin, .fini = end, .timeout = 60);

/* Queues a client at the seat of that index in the group. */
static void
queue_at(unsigned index)
{
	int any = seats_socket(&sockets, sockets.order[0]);
	unsigned weights[4] = {0};

	weights[index] = 1;
	cr_assert_eq(steering_attach(any, weights, sockets.listening), 0);
	cr_assert_eq(seats_connect(seats_own_address(&sockets)), 0);
}

/* How many wait at each seat, "0 2 0 1". */
static const char *
measured(void)
{
	static char text[64];
	unsigned queued[4] = {9, 9, 9, 9};
	size_t length = 0;

	sockets_measure(&sockets, queued);
	for (unsigned seat = 0; seat < 4; seat++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%u",
			seat > 0 ? " " : "", queued[seat]);
	return text;
}

Test(queues, are_those_in_which_somebody_waits_as_long_as_he_does)
{
	int client;

	cr_assert_str_eq(measured(), "0 0 0 0");
	queue_at(1);
	queue_at(1);
	queue_at(3);
	cr_assert_str_eq(measured(), "0 2 0 1");
	cr_assert_str_eq(measured(), "0 2 0 1", "asked again, they are still there");
	client = accept(seats_socket(&sockets, 1), NULL, NULL);
	cr_assert_str_eq(measured(), "0 1 0 1");
	close(client);
	client = accept(seats_socket(&sockets, 1), NULL, NULL);
	cr_assert_str_eq(measured(), "0 0 0 1");
	close(client);
}

Test(queues, without_a_set_each_is_asked)
{
	queue_at(2);
	close(sockets.waiting);
	sockets.waiting = -1;
	cr_assert_str_eq(measured(), "0 0 1 0");
}

/* The set would tell nothing of a socket that it has not taken. */
Test(queues, if_a_socket_is_refused_the_set_is_given_up)
{
	int *third = &sockets.seats[2].fds[0], socket = *third;

	queue_at(3);
	sockets_leave_group(&sockets, 2);
	*third = -1;
	queues_watch(&sockets, 2);
	*third = socket;
	cr_assert_eq(sockets.waiting, -1);
	cr_assert_str_eq(measured(), "0 0 0 1");
}

Test(queues, of_seats_that_have_left_or_are_another_master_s_tell_nothing)
{
	/* As workers have them. */
	int kept = dup(seats_socket(&sockets, 1));

	queue_at(0);
	sockets_leave_group(&sockets, 1);
	cr_assert_str_eq(measured(), "1 0 0 0");
	cr_assert_eq(sockets_listen(&sockets, 1), 0);
	queue_at(3);
	cr_assert_str_eq(measured(), "1 1 0 0");
	sockets_forget(&sockets);
	cr_assert_str_eq(measured(), "0 0 0 0");
	cr_assert(sockets_own(&sockets));
	cr_assert_str_eq(measured(), "1 1 0 0");
	close(kept);
}
