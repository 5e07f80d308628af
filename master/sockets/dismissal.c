/* Closing a listening socket resets the connections in its queue. They are accepted and closed one
 * by one instead, at most as many as the backlog holds, so that a stream of new clients cannot keep
 * the master from ending. */
#include "master/sockets/dismissal.h"

#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/leftover.h"

/* Returns how many clients it closed. */
static size_t
dismiss_at(int listener, int backlog)
{
	static unsigned char buffer[16 * 1024];
	size_t gone = 0;

	/* The kernel queues one connection more than the backlog. */
	for (int left = backlog + 1; left > 0; left--) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client == -1)
			break;
		leftover_discard(client, buffer, sizeof buffer);
		shutdown(client, SHUT_WR);
		close(client);
		gone++;
	}
	return gone;
}

size_t
dismissal_of_queued(const struct sockets *sockets)
{
	size_t gone = 0;

	/* A shared socket keeps its queue when the last seat has left the group. */
	for (unsigned address = 0; address < sockets->address_count; address++)
		if (sockets->addresses[address].kind != ADDRESS_UDP &&
			sockets->shared[address] != -1 && sockets->passed[address] == -1)
			gone += dismiss_at(sockets->shared[address], sockets->backlog);
	for (unsigned i = 0; i < sockets->listening; i++) {
		unsigned seat = sockets->order[i];

		for (unsigned address = 0; address < sockets->address_count; address++)
			if (sockets_is_in_group(sockets, address) &&
				!sockets_is_kept(sockets, seat, address))
				gone += dismiss_at(
					sockets->seats[seat].fds[address], sockets->backlog);
	}
	return gone;
}
