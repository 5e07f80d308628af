#include "master/sockets/sockets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/sockets/steering.h"
#include "tests/unit/master/seats.h"

/* Each index of the kernel's is the seat that the order says. */
static void
assert_order(const struct sockets *sockets)
{
	int first = seats_socket(sockets, sockets->order[0]);

	for (unsigned index = 0; index < sockets->listening; index++) {
		unsigned weights[8] = {0}, before = sockets_queued(sockets, sockets->order[index]);

		weights[index] = 1;
		cr_assert_eq(steering_attach(first, weights, sockets->listening), 0);
		cr_assert_eq(seats_connect(seats_own_address(sockets)), 0);
		cr_assert_eq(sockets_queued(sockets, sockets->order[index]), before + 1, "index %u",
			index);
	}
}

Test(sockets_group, the_order_is_that_of_the_kernel_also_after_parking)
{
	struct sockets sockets;

	seats_open(&sockets, 4);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(sockets_listen(&sockets, seat), 0);
	sockets_leave_group(&sockets, 1);
	cr_assert_str_eq(seats_order(&sockets), "0 3 2");
	assert_order(&sockets);
	sockets_close(&sockets);
}

/* What another master has of the same sockets: duplicates, and the roll. */
static void
inherit(struct sockets *successor, const struct sockets *from)
{
	cr_assert_eq(sockets_init(successor, from->addresses, 1, 16), 0);
	successor->roll_file = dup(from->roll_file);
	successor->roll = roll_map(successor->roll_file);
	successor->seats = calloc(from->seat_count, sizeof *successor->seats);
	cr_assert(successor->roll != NULL && successor->seats != NULL);
	for (unsigned i = 0; i < from->seat_count; i++) {
		successor->seats[i].fds = malloc(sizeof(int));
		successor->seats[i].fds[0] = dup(from->seats[i].fds[0]);
	}
	successor->seat_count = from->seat_count;
}

Test(sockets_group, another_master_goes_on_with_the_order)
{
	struct sockets sockets, successor;

	seats_open(&sockets, 4);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(sockets_listen(&sockets, seat), 0);
	sockets_leave_group(&sockets, 1);
	inherit(&successor, &sockets);
	sockets_forget(&sockets);
	cr_assert(sockets_own(&successor));
	cr_assert_str_eq(seats_order(&successor), "0 3 2");
	assert_order(&successor);
	/* The former master owns them again, as the new one leaves them. */
	cr_assert_eq(sockets_listen(&successor, 1), 0);
	sockets_leave_group(&successor, 0);
	sockets_forget(&successor);
	cr_assert(sockets_own(&sockets));
	cr_assert_str_eq(seats_order(&sockets), "1 3 2");
	assert_order(&sockets);
	sockets_close(&successor);
	sockets_close(&sockets);
}

Test(sockets_group, the_backlog_is_what_the_kernel_has_made_of_it)
{
	struct sockets sockets;

	seats_open(&sockets, 3);
	cr_assert_eq(sockets_backlog(&sockets), 0, "nobody listens");
	cr_assert_eq(sockets_listen(&sockets, 0), 0);
	cr_assert_eq(sockets_listen(&sockets, 1), 0);
	cr_assert_eq(sockets_backlog(&sockets), 16);
	/* Nobody has asked for so little: as if net.core.somaxconn had been lower then. */
	cr_assert_eq(listen(seats_socket(&sockets, 1), 7), 0);
	cr_assert_eq(sockets_backlog(&sockets), 7);
	sockets_leave_group(&sockets, 1);
	cr_assert_eq(sockets_backlog(&sockets), 16);
	sockets_close(&sockets);
}

/* How many may wait in that queue. */
static unsigned
room_of(int listener)
{
	struct tcp_info info;
	socklen_t length = sizeof info;

	cr_assert_eq(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
	return info.tcpi_sacked;
}

Test(sockets_group, another_masters_queues_get_its_length)
{
	struct sockets sockets, successor;

	seats_open(&sockets, 3);
	cr_assert_eq(sockets_listen(&sockets, 2), 0);
	cr_assert_eq(sockets_listen(&sockets, 0), 0);
	inherit(&successor, &sockets);
	successor.backlog = 7;
	sockets_forget(&sockets);
	cr_assert(sockets_own(&successor));
	cr_assert_eq(room_of(seats_socket(&successor, 0)), 7);
	cr_assert_eq(room_of(seats_socket(&successor, 2)), 7);
	assert_order(&successor);
	sockets_forget(&successor);
	cr_assert(sockets_own(&sockets));
	cr_assert_eq(room_of(seats_socket(&sockets, 0)), 16, "the former master's again");
	sockets_close(&successor);
	sockets_close(&sockets);
}

Test(sockets_group, a_seat_that_has_left_and_the_roll_still_has_is_struck)
{
	struct sockets sockets, successor;

	seats_open(&sockets, 4);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(sockets_listen(&sockets, seat), 0);
	inherit(&successor, &sockets);
	/* As if its master had died between the two steps of leaving. */
	shutdown(sockets.seats[1].fds[0], SHUT_RDWR);
	cr_assert(sockets_own(&successor));
	cr_assert_str_eq(seats_order(&successor), "0 3 2");
	assert_order(&successor);
	sockets_close(&successor);
	sockets_close(&sockets);
}

Test(sockets_group, seats_that_die_with_another_master_leave_the_order_known_if_they_came_last)
{
	for (int is_last = 0; is_last < 2; is_last++) {
		struct sockets sockets, successor;

		seats_open(&sockets, 2);
		cr_assert_eq(sockets_listen(&sockets, 0), 0);
		if (is_last)
			cr_assert_eq(sockets_listen(&sockets, 1), 0);
		inherit(&successor, &sockets);
		sockets_forget(&sockets);
		cr_assert(sockets_own(&successor));
		cr_assert_eq(sockets_grow(&successor, 5), 0);
		for (unsigned seat = 1; seat < 5; seat++)
			cr_assert_eq(sockets_listen(&successor, seat), 0);
		if (!is_last) {
			/* Then seat 1 is the last of the group. */
			sockets_leave_group(&successor, 1);
			cr_assert_eq(sockets_listen(&successor, 1), 0);
		}
		sockets_forget(&successor);
		sockets_close(&successor);
		cr_assert_eq(sockets_own(&sockets), is_last == 1);
		cr_assert_eq(sockets.listening, 2);
		if (is_last)
			assert_order(&sockets);
		sockets_close(&sockets);
	}
}

Test(sockets_group, deaf_ones_drop_what_begins_and_keep_what_waits)
{
	const struct address *address;
	struct sockets sockets;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	seats_open(&sockets, 1);
	address = seats_own_address(&sockets);
	cr_assert_eq(sockets_listen(&sockets, 0), 0);
	cr_assert_eq(seats_connect(address), 0);
	sockets_drop_syns(&sockets);
	/* On loopback a handshake is done, or refused, when connect returns. */
	cr_assert_eq(connect(fd, (const struct sockaddr *)&address->socket, address->length), -1);
	cr_assert_eq(errno, EINPROGRESS);
	cr_assert_eq(sockets_queued(&sockets, 0), 1);
	close(fd);
	sockets_close(&sockets);
}
