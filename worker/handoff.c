#include "worker/handoff.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "worker/acceptor.h"

/* A connection moves only if that is worth waking another thread: for four more, and an eighth. */
#define MARGIN(open) (4 + (open) / 8)
/* A sibling that has not been heard of for so long may be stuck, and one with such a lag is
 * busy. */
#define HEARD_WITHIN (300 * HUB_MILLISECOND)
#define LAG_MOST (20 * HUB_MILLISECOND)

struct parcel {
	struct hub_message message;
	struct worker_thread *to;
	struct list link;
	unsigned address;
	int client;
};

/* In the receiving hub, where nothing may be served before a coroutine runs. */
static void
deliver(struct hub_message *message)
{
	struct parcel *parcel = CONTAINER_OF(message, struct parcel, message);

	list_append(&parcel->to->parcels, &parcel->link);
	hub_event_set(&parcel->to->parcel);
}

/* Returns false if there is no memory. */
static bool
send_to(struct worker_thread *to, int client, unsigned address)
{
	struct parcel *parcel = malloc(sizeof *parcel);

	if (parcel == NULL)
		return false;
	*parcel = (struct parcel){
		.message = {NULL, deliver}, .to = to, .address = address, .client = client};
	hub_mailbox_post(to->mailbox, &parcel->message);
	return true;
}

static bool
is_well(const struct worker_row *row, int64_t now)
{
	return now - __atomic_load_n(&row->heartbeat, __ATOMIC_RELAXED) <= HEARD_WITHIN &&
	       __atomic_load_n(&row->lag, __ATOMIC_RELAXED) <= LAG_MOST;
}

/* The one with the fewest connections among those that take some and have permits. */
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
		if (!is_well(sibling->row, now) ||
			__atomic_load_n(&sibling->row->permits, __ATOMIC_RELAXED) <= 0)
			continue;
		open = counters_open(sibling->row);
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
	uint64_t own = counters_open(thread->row), open;
	struct worker_thread *least;

	if (thread->sibling_count < 2)
		return false;
	least = find_least(thread, thread);
	if (least == NULL)
		return false;
	open = counters_open(least->row);
	if (own < open + MARGIN(open) || counters_take_permits(least->row, 1) == 0)
		return false;
	if (!send_to(least, client, address)) {
		counters_give_permits(least->row, 1);
		return false;
	}
	counters_give_permits(thread->row, 1);
	counters_add(&thread->row->handed, 1);
	return true;
}

void
handoff_adopt(struct worker_thread *leader, int listener, unsigned address)
{
	struct worker_thread *to;

	while ((to = find_least(leader, NULL)) != NULL && counters_take_permits(to->row, 1) == 1) {
		int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client != -1 && send_to(to, client, address)) {
			counters_add(&leader->row->accepted, 1);
			counters_add(&leader->row->handed, to != leader);
			continue;
		}
		counters_give_permits(to->row, 1);
		if (client != -1)
			close(client);
		else if (errno == ECONNABORTED || errno == EINTR)
			continue;
		break;
	}
	close(listener);
}

void *
handoff_run(void *argument)
{
	struct worker_thread *thread = argument;

	for (;;) {
		while (!list_is_empty(&thread->parcels)) {
			struct parcel *parcel =
				CONTAINER_OF(thread->parcels.next, struct parcel, link);

			acceptor_serve(&thread->acceptors[parcel->address], parcel->client);
			/* Until here it counts as one that is on its way. */
			list_remove(&parcel->link);
			free(parcel);
		}
		hub_event_clear(&thread->parcel);
		if (hub_event_wait(&thread->parcel) != 0)
			return NULL;
	}
}
