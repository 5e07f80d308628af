#include "master/sockets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/steering.h"
#include "tests/support/in_hub.h"

static struct address
loopback(void)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why;

	cr_assert_eq(address_parse("127.0.0.1:0", addresses, &why), 1);
	return addresses[0];
}

static int
connect_to(const struct address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int result = connect(fd, (const struct sockaddr *)&address->socket, address->length);

	close(fd);
	return result;
}

/* Opens seats on a free port of loopback. */
static void
open_seats(struct sockets *sockets, unsigned seats)
{
	struct address address = loopback();

	cr_assert_eq(sockets_init(sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(sockets, seats), 0);
}

/* Each index of the kernel's is the seat that the order says. */
static void
assert_order(const struct sockets *sockets)
{
	for (unsigned index = 0; index < sockets->listening; index++) {
		unsigned weights[8] = {0}, before = sockets_queued(sockets, sockets->order[index]);

		weights[index] = 1;
		cr_assert_eq(steering_attach(sockets->seats[sockets->order[0]].fds[0], weights,
				     sockets->listening),
			0);
		cr_assert_eq(connect_to(&sockets->addresses[0]), 0);
		cr_assert_eq(sockets_queued(sockets, sockets->order[index]), before + 1, "index %u",
			index);
	}
}

Test(sockets, all_share_one_port_and_listen_only_when_told)
{
	struct sockets sockets;

	open_seats(&sockets, 4);
	cr_assert_gt(address_port(&sockets.addresses[0]), 0);
	cr_assert_eq(connect_to(&sockets.addresses[0]), -1);
	cr_assert_eq(sockets_listen(&sockets, 3), 0);
	cr_assert_eq(connect_to(&sockets.addresses[0]), 0);
	cr_assert_eq(sockets_queued(&sockets, 3), 1);
	cr_assert_eq(sockets_listen(&sockets, 3), 0, "listening twice is harmless");
	cr_assert_eq(sockets.listening, 1);
	sockets_park(&sockets, 3);
	cr_assert_eq(connect_to(&sockets.addresses[0]), -1);
	cr_assert_eq(sockets_listen(&sockets, 3), 0, "a parked one can come back");
	cr_assert_eq(connect_to(&sockets.addresses[0]), 0);
	sockets_close(&sockets);
}

Test(sockets, the_order_is_that_of_the_kernel_also_after_parking)
{
	struct sockets sockets;

	open_seats(&sockets, 4);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(sockets_listen(&sockets, seat), 0);
	sockets_park(&sockets, 1);
	cr_assert_eq(sockets.listening, 3);
	cr_assert_eq(sockets.order[0], 0);
	cr_assert_eq(sockets.order[1], 3);
	cr_assert_eq(sockets.order[2], 2);
	assert_order(&sockets);
	sockets_close(&sockets);
}

/* What another master has of the same sockets: duplicates, and the roll. */
static void
inherit(struct sockets *heir, const struct sockets *from)
{
	cr_assert_eq(sockets_init(heir, from->addresses, 1, 16), 0);
	heir->roll_file = dup(from->roll_file);
	heir->roll = roll_map(heir->roll_file);
	heir->seats = calloc(from->seat_count, sizeof *heir->seats);
	cr_assert(heir->roll != NULL && heir->seats != NULL);
	for (unsigned i = 0; i < from->seat_count; i++) {
		heir->seats[i].fds = malloc(sizeof(int));
		heir->seats[i].fds[0] = dup(from->seats[i].fds[0]);
	}
	heir->seat_count = from->seat_count;
}

Test(sockets, another_master_goes_on_with_the_order)
{
	struct sockets sockets, heir;

	open_seats(&sockets, 4);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(sockets_listen(&sockets, seat), 0);
	sockets_park(&sockets, 1);
	inherit(&heir, &sockets);
	sockets_forget(&sockets);
	cr_assert(sockets_own(&heir));
	cr_assert_eq(heir.listening, 3);
	assert_order(&heir);
	/* The former master owns them again, as the new one leaves them. */
	cr_assert_eq(sockets_listen(&heir, 1), 0);
	sockets_park(&heir, 0);
	sockets_forget(&heir);
	cr_assert(sockets_own(&sockets));
	cr_assert_eq(sockets.listening, 3);
	cr_assert_not(sockets.seats[0].listens);
	assert_order(&sockets);
	sockets_close(&heir);
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

Test(sockets, another_masters_queues_get_its_length)
{
	struct sockets sockets, heir;

	open_seats(&sockets, 3);
	cr_assert_eq(sockets_listen(&sockets, 2), 0);
	cr_assert_eq(sockets_listen(&sockets, 0), 0);
	inherit(&heir, &sockets);
	heir.backlog = 7;
	sockets_forget(&sockets);
	cr_assert(sockets_own(&heir));
	cr_assert_eq(room_of(heir.seats[0].fds[0]), 7);
	cr_assert_eq(room_of(heir.seats[2].fds[0]), 7);
	assert_order(&heir);
	sockets_forget(&heir);
	cr_assert(sockets_own(&sockets));
	cr_assert_eq(room_of(sockets.seats[0].fds[0]), 16, "the former master's again");
	sockets_close(&heir);
	sockets_close(&sockets);
}

Test(sockets, a_parked_seat_that_the_roll_still_has_is_struck)
{
	struct sockets sockets, heir;

	open_seats(&sockets, 4);
	for (unsigned seat = 0; seat < 4; seat++)
		cr_assert_eq(sockets_listen(&sockets, seat), 0);
	inherit(&heir, &sockets);
	/* As if its master had died between the two steps of parking. */
	shutdown(sockets.seats[1].fds[0], SHUT_RDWR);
	cr_assert(sockets_own(&heir));
	cr_assert_eq(heir.listening, 3);
	assert_order(&heir);
	sockets_close(&heir);
	sockets_close(&sockets);
}

Test(sockets, seats_that_die_with_another_master_leave_the_order_known_if_they_came_last)
{
	for (int is_last = 0; is_last < 2; is_last++) {
		struct sockets sockets, heir;

		open_seats(&sockets, 2);
		cr_assert_eq(sockets_listen(&sockets, 0), 0);
		if (is_last)
			cr_assert_eq(sockets_listen(&sockets, 1), 0);
		inherit(&heir, &sockets);
		sockets_forget(&sockets);
		cr_assert(sockets_own(&heir));
		cr_assert_eq(sockets_grow(&heir, 5), 0);
		for (unsigned seat = 1; seat < 5; seat++)
			cr_assert_eq(sockets_listen(&heir, seat), 0);
		if (!is_last) {
			/* Then seat 1 is the last of the group. */
			sockets_park(&heir, 1);
			cr_assert_eq(sockets_listen(&heir, 1), 0);
		}
		sockets_forget(&heir);
		sockets_close(&heir);
		cr_assert_eq(sockets_own(&sockets), is_last == 1);
		cr_assert_eq(sockets.listening, 2);
		if (is_last)
			assert_order(&sockets);
		sockets_close(&sockets);
	}
}

Test(sockets, more_can_be_bound_later_until_privileges_are_dropped)
{
	struct sockets sockets;

	open_seats(&sockets, 1);
	cr_assert_eq(sockets_grow(&sockets, 3), 0);
	cr_assert_eq(sockets_listen(&sockets, 2), 0);
	cr_assert_eq(connect_to(&sockets.addresses[0]), 0);
	sockets.can_bind = false;
	cr_assert_eq(sockets_grow(&sockets, 3), 0);
	cr_assert_eq(sockets_grow(&sockets, 4), -1);
	cr_assert_eq(errno, EPERM);
	sockets_close(&sockets);
}

Test(sockets, deaf_ones_drop_what_begins_and_keep_what_waits)
{
	struct sockets sockets;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	open_seats(&sockets, 1);
	cr_assert_eq(sockets_listen(&sockets, 0), 0);
	cr_assert_eq(connect_to(&sockets.addresses[0]), 0);
	sockets_deafen(&sockets);
	/* On loopback a handshake is done, or refused, when connect returns. */
	cr_assert_eq(connect(fd, (struct sockaddr *)&sockets.addresses[0].socket,
			     sockets.addresses[0].length),
		-1);
	cr_assert_eq(errno, EINPROGRESS);
	cr_assert_eq(sockets_queued(&sockets, 0), 1);
	close(fd);
	sockets_close(&sockets);
}

Test(sockets, a_second_copy_is_refused_and_closing_leaves_nothing)
{
	struct sockets first, second;
	int before = open_descriptors();

	open_seats(&first, 1);
	cr_assert_eq(sockets_init(&second, first.addresses, 1, 16), 0);
	cr_assert_eq(sockets_open(&second, 1), -1);
	sockets_close(&second);
	sockets_close(&first);
	cr_assert_eq(open_descriptors(), before);
}

Test(sockets, a_stranger_on_the_port_is_found_even_with_reuseport)
{
	struct address address = loopback();
	struct sockets sockets;
	int on = 1, stranger = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(stranger, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	cr_assert_eq(bind(stranger, (struct sockaddr *)&address.socket, address.length), 0);
	cr_assert_eq(listen(stranger, 1), 0);
	getsockname(stranger, (struct sockaddr *)&address.socket, &address.length);
	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 1), -1);
	sockets_close(&sockets);
	close(stranger);
}

/* A listening socket as a service manager passes it. */
static int
passed(struct address *address, bool reuses)
{
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (reuses)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address->socket, address->length), 0);
	cr_assert_eq(listen(fd, 16), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address->socket, &address->length), 0);
	return fd;
}

Test(sockets, a_passed_one_gets_siblings_where_it_can)
{
	struct address address = loopback();
	int fd = passed(&address, true);
	struct sockets sockets;

	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert(sockets_take(&sockets, fd));
	cr_assert_eq(sockets_open(&sockets, 2), 0);
	cr_assert_eq(sockets.shared[0], -1);
	cr_assert_eq(sockets.seats[0].fds[0], fd);
	cr_assert_eq(sockets_listen(&sockets, 0), 0);
	cr_assert_eq(sockets_listen(&sockets, 1), 0);
	sockets_close(&sockets);
}

Test(sockets, a_passed_one_is_shared_where_it_cannot_have_siblings)
{
	struct address address = loopback();
	int fd = passed(&address, false), client;
	struct sockets sockets;

	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert(sockets_take(&sockets, fd));
	cr_assert_eq(sockets_open(&sockets, 2), 0);
	cr_assert_eq(sockets.shared[0], fd);
	cr_assert_eq(connect_to(&address), 0);
	client = accept(sockets.seats[1].fds[0], NULL, NULL);
	cr_assert_neq(client, -1, "any seat may accept");
	close(client);
	sockets_close(&sockets);
}

/* ---- datagrams and paths ---- */

static struct address
parsed(const char *text)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why;

	cr_assert_eq(address_parse(text, addresses, &why), 1, "%s", why);
	return addresses[0];
}

/* Sends from a socket of its own; returns the seat that got it. */
static int
who_gets(struct sockets *sockets, int sender)
{
	const struct address *to = &sockets->addresses[0];
	char byte;

	sendto(sender, "x", 1, 0, (const struct sockaddr *)&to->socket, to->length);
	for (unsigned seat = 0; seat < sockets->seat_count; seat++)
		if (recv(sockets->seats[seat].fds[0], &byte, 1, MSG_DONTWAIT) == 1)
			return (int)seat;
	return -1;
}

#define PEERS 64

static void
peers_stay(const char *text)
{
	struct address address = parsed(text);
	bool is_there[5] = {true, true, true, true, false};
	int peers[PEERS], before[PEERS];
	struct sockets sockets;
	unsigned got[5] = {0}, moved = 0;

	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 5), 0);
	cr_assert_eq(steering_attach_datagrams(
			     sockets.seats[0].fds[0], is_there, 5, address.socket.ss_family),
		0);
	for (int i = 0; i < PEERS; i++) {
		peers[i] = socket(address.socket.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		before[i] = who_gets(&sockets, peers[i]);
		cr_assert(before[i] >= 0 && before[i] < 4, "%s: seat %d", text, before[i]);
		got[before[i]]++;
		cr_assert_eq(who_gets(&sockets, peers[i]), before[i], "a peer stays");
	}
	for (int seat = 0; seat < 4; seat++)
		cr_assert_gt(
			got[seat], 0, "%s: nobody on seat %d of 4 by %d peers", text, seat, PEERS);
	/* One goes: the others keep their peers, but for those of the seat on which nobody ever
	 * sat. */
	is_there[2] = false;
	cr_assert_eq(steering_attach_datagrams(
			     sockets.seats[0].fds[0], is_there, 5, address.socket.ss_family),
		0);
	for (int i = 0; i < PEERS; i++) {
		int now = who_gets(&sockets, peers[i]);

		cr_assert(now >= 0 && now != 2 && now != 4);
		moved += now != before[i] && before[i] != 2;
		close(peers[i]);
	}
	cr_assert_lt(moved, PEERS / 3);
	sockets_close(&sockets);
}

Test(sockets, a_peers_datagrams_go_to_one_seat)
{
	peers_stay("udp:127.0.0.1:0");
	peers_stay("udp:[::1]:0");
}

Test(sockets, a_path_has_one_socket_for_all)
{
	struct address address = parsed("unix:/tmp/hubbub-test-sockets");
	struct sockets sockets, other;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 3), 0);
	cr_assert_neq(connect(fd, (struct sockaddr *)&address.socket, address.length), 0);
	cr_assert_eq(sockets_listen(&sockets, 1), 0);
	cr_assert_eq(sockets_listen(&sockets, 2), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address.socket, address.length), 0);
	sockets.backlog = 0;
	cr_assert(sockets_own(&sockets));
	cr_assert_neq(connect(late, (struct sockaddr *)&address.socket, address.length), 0);
	/* A second server is told who is there. */
	cr_assert_eq(sockets_init(&other, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&other, 1), -1);
	sockets_close(&other);
	cr_assert_eq(access(address_path(&address), F_OK), 0, "and leaves the path alone");
	sockets_deafen(&sockets);
	cr_assert_eq(access(address_path(&address), F_OK), -1);
	sockets_close(&sockets);
	close(late);
	close(fd);
}

Test(sockets, a_path_that_a_killed_server_left_is_taken)
{
	struct address address = parsed("unix:/tmp/hubbub-test-stale");
	struct sockets sockets;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address.socket, address.length), 0);
	close(fd);
	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 1), 0);
	sockets_close(&sockets);
	cr_assert_eq(access(address_path(&address), F_OK), -1);
	/* What is no socket is not removed. */
	fd = open(address_path(&address), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_neq(fd, -1);
	close(fd);
	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 1), -1);
	sockets_close(&sockets);
	cr_assert_eq(unlink(address_path(&address)), 0);
}
