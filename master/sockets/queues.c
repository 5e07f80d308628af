/* The kernel answers for a listening socket in two ways: epoll says whether its queue is empty,
 * TCP_INFO how long it is, and how long it may be. The first is asked for all at once, the second
 * only of those whose queue is not empty. */
#include "master/sockets/queues.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hub/base/check.h"

/* ---- the set ---- */

void
queues_watch(struct sockets *sockets, unsigned index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};

	for (unsigned i = 0; i < sockets->address_count && sockets->waiting != -1; i++) {
		int fd = sockets->seats[index].fds[i];

		if (sockets->addresses[i].kind != ADDRESS_TCP ||
			epoll_ctl(sockets->waiting, EPOLL_CTL_ADD, fd, &event) == 0)
			continue;
		close(sockets->waiting);
		sockets->waiting = -1;
	}
}

void
queues_unwatch(const struct sockets *sockets, unsigned index)
{
	for (unsigned i = 0; i < sockets->address_count && sockets->waiting != -1; i++)
		if (sockets->addresses[i].kind == ADDRESS_TCP)
			epoll_ctl(sockets->waiting, EPOLL_CTL_DEL, sockets->seats[index].fds[i],
				NULL);
}

/* ---- lengths ---- */

/* Gets TCP_INFO of a seat's socket. Returns false if it is not a listening TCP socket. */
static bool
ask_listener(const struct sockets *sockets, unsigned index, unsigned address, struct tcp_info *info)
{
	const struct seat *seat = &sockets->seats[index];
	socklen_t length = sizeof *info;

	return seat->listens &&
	       getsockopt(seat->fds[address], IPPROTO_TCP, TCP_INFO, info, &length) == 0 &&
	       info->tcpi_state == TCP_LISTEN;
}

unsigned
sockets_queued_at(const struct sockets *sockets, unsigned index, unsigned address)
{
	struct tcp_info info;

	/* For a listener this field is the length of its accept queue. */
	return ask_listener(sockets, index, address, &info) ? info.tcpi_unacked : 0;
}

unsigned
sockets_queued(const struct sockets *sockets, unsigned index)
{
	unsigned queued = 0;

	for (unsigned i = 0; i < sockets->address_count; i++)
		queued += sockets_queued_at(sockets, index, i);
	return queued;
}

void
sockets_measure(const struct sockets *sockets, unsigned *queued)
{
	static struct epoll_event events[SOCKETS_SEATS_MAX];
	int found = -1;

	memset(queued, 0, sockets->seat_count * sizeof *queued);
	if (sockets->waiting != -1)
		found = epoll_wait(sockets->waiting, events, SOCKETS_SEATS_MAX, 0);
	for (int i = 0; i < found; i++) {
		CHECK(events[i].data.u32 < sockets->seat_count);
		queued[events[i].data.u32] = sockets_queued(sockets, events[i].data.u32);
	}
	/* Without a set, and where it may have more than these. */
	for (unsigned i = 0; (found == -1 || found == SOCKETS_SEATS_MAX) && i < sockets->listening;
		i++)
		queued[sockets->order[i]] = sockets_queued(sockets, sockets->order[i]);
}

unsigned
sockets_backlog(const struct sockets *sockets)
{
	unsigned least = 0;
	struct tcp_info info;

	/* For a listener this field is its backlog. */
	for (unsigned at = 0; at < sockets->listening; at++)
		for (unsigned i = 0; i < sockets->address_count; i++)
			if (ask_listener(sockets, sockets->order[at], i, &info) &&
				info.tcpi_sacked > 0 && (least == 0 || info.tcpi_sacked < least))
				least = info.tcpi_sacked;
	return least;
}
