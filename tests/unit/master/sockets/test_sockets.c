#include "master/sockets/sockets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/sockets/steering.h"
#include "tests/unit/master/seats.h"

Test(sockets, all_share_one_port_and_listen_only_when_told)
{
	const struct address *address;
	struct sockets sockets;

	seats_open(&sockets, 4);
	address = seats_own_address(&sockets);
	cr_assert_gt(address_port(address), 0);
	cr_assert_eq(seats_connect(address), -1);
	cr_assert_eq(sockets_listen(&sockets, 3), 0);
	cr_assert_eq(seats_connect(address), 0);
	cr_assert_eq(sockets_queued(&sockets, 3), 1);
	cr_assert_eq(sockets_listen(&sockets, 3), 0, "listening twice is harmless");
	cr_assert_eq(sockets.listening, 1);
	sockets_leave_group(&sockets, 3);
	cr_assert_eq(seats_connect(address), -1);
	cr_assert_eq(sockets_listen(&sockets, 3), 0, "one that has left can come back");
	cr_assert_eq(seats_connect(address), 0);
	sockets_close(&sockets);
}

Test(sockets, more_can_be_bound_later_until_privileges_are_dropped)
{
	struct sockets sockets;

	seats_open(&sockets, 1);
	cr_assert_eq(sockets_grow(&sockets, 3), 0);
	cr_assert_eq(sockets_listen(&sockets, 2), 0);
	cr_assert_eq(seats_connect(seats_own_address(&sockets)), 0);
	sockets.can_bind = false;
	cr_assert_eq(sockets_grow(&sockets, 3), 0);
	cr_assert_eq(sockets_grow(&sockets, 4), -1);
	cr_assert_eq(errno, EPERM);
	sockets_close(&sockets);
}

/* Sends from a socket of its own; returns the seat that got it. */
static int
who_gets(struct sockets *sockets, int sender)
{
	const struct address *to = seats_own_address(sockets);
	char byte;

	sendto(sender, "x", 1, 0, (const struct sockaddr *)&to->socket, to->length);
	for (unsigned seat = 0; seat < sockets->seat_count; seat++)
		if (recv(seats_socket(sockets, seat), &byte, 1, MSG_DONTWAIT) == 1)
			return (int)seat;
	return -1;
}

#define PEERS 256

static void
peers_stay(const char *text)
{
	struct address address = seats_address(text);
	bool is_there[5] = {true, true, true, true, false};
	int peers[PEERS], before[PEERS];
	struct sockets sockets;
	unsigned got[5] = {0}, moved = 0;

	cr_assert_eq(sockets_init(&sockets, &address, 1, 16), 0);
	cr_assert_eq(sockets_open(&sockets, 5), 0);
	cr_assert_eq(steering_attach_datagrams(
			     seats_socket(&sockets, 0), is_there, 5, address.socket.ss_family),
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
			     seats_socket(&sockets, 0), is_there, 5, address.socket.ss_family),
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
	struct address address = seats_address("unix:/tmp/hubbub-test-sockets");
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
	sockets_drop_syns(&sockets);
	cr_assert_eq(access(address_path(&address), F_OK), -1);
	sockets_close(&sockets);
	close(late);
	close(fd);
}
