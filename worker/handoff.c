/* A handed connection travels in a parcel: posted to the sibling's mailbox, appended to its list by
 * deliver, served by its handoff coroutine. Invariants: the sender has taken one of the sibling's
 * permits before it posts; coming counts a parcel from the post until its connection is served, so
 * that hubs which choose the emptiest sibling see it. */
#include "worker/handoff.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/debug/recording.h"
#include "worker/acceptor.h"

/* A connection moves only if that is worth waking another thread: the sibling must have fewer by 4
 * and an eighth of its own connections. */
#define MARGIN(open) (4 + (open) / 8)
/* A sibling without a heartbeat for HEARTBEAT_WITHIN may be stuck; one with more lag than LAG_MOST
 * is busy. */
#define HEARTBEAT_WITHIN (300 * HUB_MILLISECOND)
#define LAG_MOST (20 * HUB_MILLISECOND)

struct parcel {
	struct hub_message message;
	struct worker_thread *to;
	struct list link;
	unsigned address;
	int client;
};

/* Runs in the receiving hub's loop, outside coroutines: only queues the parcel. */
static void
deliver(struct hub_message *message)
{
	struct parcel *parcel = CONTAINER_OF(message, struct parcel, message);

	DCHECK(thread_is_here(parcel->to));
	list_append(&parcel->to->parcels, &parcel->link);
	hub_event_set(&parcel->to->has_parcels);
}

static void
send_to(struct worker_thread *to, struct parcel *parcel, int client, unsigned address)
{
	*parcel = (struct parcel){
		.message = {NULL, deliver}, .to = to, .address = address, .client = client};
	__atomic_fetch_add(&to->coming, 1, __ATOMIC_RELAXED);
	hub_mailbox_post(to->mailbox, &parcel->message);
}

/* Open connections and those on their way: without the latter, a burst that one hub accepts before
 * its sibling runs would all go to that sibling. */
static uint64_t
open_soon(const struct worker_thread *thread)
{
	return counters_open(thread->row) + __atomic_load_n(&thread->coming, __ATOMIC_RELAXED);
}

/* Gives a permit back; any acceptor of the hub that waits for one may have it. */
static void
give_back(struct worker_thread *thread)
{
	counters_give_permits(thread->row, 1);
	acceptor_retry(thread);
}

/* A heartbeat of the future was overwritten by whoever; it is right again in a moment. */
static bool
has_heartbeat(const struct worker_thread *thread, int64_t now)
{
	return __atomic_load_n(&thread->row->heartbeat, __ATOMIC_RELAXED) >= now - HEARTBEAT_WITHIN;
}

/* Whether the hub has enough to do: it is busy, or it was without permits when it last looked, so
 * that clients wait in its own queue. */
static bool
is_occupied(const struct worker_thread *thread)
{
	return __atomic_load_n(&thread->row->lag, __ATOMIC_RELAXED) > LAG_MOST ||
	       __atomic_load_n(&thread->is_out_of_permits, __ATOMIC_RELAXED);
}

/* The hub with the fewest connections among those that take connections of siblings, have a
 * heartbeat and have permits. If except is not NULL, except is no candidate, nor is an occupied
 * hub; if it is NULL, occupied hubs are candidates, since no other hub may have permits. */
static struct worker_thread *
find_least(struct worker_thread *thread, const struct worker_thread *except)
{
	struct worker_thread *least = NULL;
	uint64_t fewest = UINT64_MAX;
	int64_t now = hub_now();

	for (unsigned i = 0; i < thread->sibling_count; i++) {
		struct worker_thread *sibling = &thread->siblings[i];
		uint64_t open;

		if (sibling == except || !__atomic_load_n(&sibling->is_welcoming, __ATOMIC_ACQUIRE))
			continue;
		/* The calling hub runs, whatever its heartbeat says. */
		if ((sibling != thread && !has_heartbeat(sibling, now)) ||
			(except != NULL && is_occupied(sibling)) ||
			__atomic_load_n(&sibling->row->permits, __ATOMIC_RELAXED) <= 0)
			continue;
		open = open_soon(sibling);
		if (open < fewest) {
			fewest = open;
			least = sibling;
		}
	}
	return least;
}

bool
handoff_offer(struct worker_thread *thread, int client, unsigned address)
{
	uint64_t own = open_soon(thread), open;
	struct worker_thread *least;
	struct parcel *parcel;

	DCHECK(thread_is_here(thread));
	if (thread->sibling_count < 2)
		return false;
	least = find_least(thread, thread);
	if (least == NULL)
		return false;
	open = open_soon(least);
	if (own < open + MARGIN(open))
		return false;
	/* Allocate before taking the permit: a sibling would see a permit that was taken and given
	 * back only at its next pulse. */
	parcel = malloc(sizeof *parcel);
	if (parcel == NULL || counters_take_permits(least->row, 1) == 0) {
		free(parcel);
		return false;
	}
	recording_note(FLIGHT_HANDOVER, (uint32_t)client, least->index);
	send_to(least, parcel, client, address);
	give_back(thread);
	counters_add(&thread->row->handed, 1);
	return true;
}

/* Accepts one client of an adopted queue, and sends it to a hub in the parcel; the caller has taken
 * a permit of that hub. Returns 0, or an errno: then parcel and permit are still the caller's. */
static int
accept_for(struct worker_thread *leader, struct worker_thread *to, int listener, unsigned address,
	struct parcel *parcel)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof peer;
	int client = kernel_accept4(
		listener, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client == -1)
		return errno;
	if (!acceptor_admits(&leader->acceptors[address], &peer)) {
		close(client);
		return EPERM;
	}
	send_to(to, parcel, client, address);
	acceptor_count_accepted(&leader->acceptors[address]);
	counters_add(&leader->row->handed, to != leader);
	return 0;
}

/* Returns whether more clients may be queued. */
static bool
adopt_one(struct worker_thread *leader, struct worker_thread *to, int listener, unsigned address)
{
	struct parcel *parcel = malloc(sizeof *parcel);
	int error = ENOMEM;

	if (parcel != NULL)
		error = accept_for(leader, to, listener, address, parcel);
	if (error == 0)
		return true;
	free(parcel);
	if (to == leader)
		give_back(leader);
	else
		counters_give_permits(to->row, 1);
	return error == ECONNABORTED || error == EINTR || error == EPERM;
}

void
handoff_adopt(struct worker_thread *leader, int listener, unsigned address, unsigned most)
{
	struct worker_thread *to;

	CHECK_WHY(leader->index == 0, "the leading hub alone gets the master's listeners");
	while (most-- > 0 && (to = find_least(leader, NULL)) != NULL &&
		counters_take_permits(to->row, 1) == 1 && adopt_one(leader, to, listener, address))
		continue;
	close(listener);
}

void *
handoff_run(void *argument)
{
	struct worker_thread *thread = argument;
	uint64_t coming;

	for (;;) {
		while (!list_is_empty(&thread->parcels)) {
			struct parcel *parcel =
				CONTAINER_OF(thread->parcels.next, struct parcel, link);

			acceptor_serve(&thread->acceptors[parcel->address], parcel->client);
			/* Not before: until it is served, the connection counts as coming. */
			list_remove(&parcel->link);
			coming = __atomic_fetch_sub(&thread->coming, 1, __ATOMIC_RELAXED);
			CHECK_WHY(coming > 0, "a parcel is counted before it is posted");
			free(parcel);
		}
		hub_event_clear(&thread->has_parcels);
		if (hub_event_wait(&thread->has_parcels) != 0)
			return NULL;
	}
}
