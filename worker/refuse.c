/* Refusals while the thread ends its connections are neither counted nor logged: a handshake that
 * draining cuts off is no fault of its peer. Log lines go through complain, at most one a
 * second. */
#include "worker/refuse.h"

#include "hub/base/check.h"
#include "worker/client.h"
#include "worker/complain.h"
#include "worker/counters.h"
#include "worker/listened.h"
#include "worker/peer.h"
#include "worker/state.h"

/* Whether it is one of that row's counters. */
static bool
is_counter_of(const struct worker_row *row, const uint64_t *counter)
{
	return counter >= row->counts && counter < row->counts + COUNTED_ROOM;
}

void
refuse(const struct worker_thread *thread, uint64_t *counter, struct listened *listener,
	const struct sockaddr_storage *address, const char *why)
{
	char name[CLIENT_NAME_SIZE];

	CHECK_WHY(is_counter_of(thread->row, counter), "each row has one writer, its hub");
	if (thread_is_commanded(thread, THREAD_FINISH) || thread_is_commanded(thread, THREAD_CLOSE))
		return;
	counters_add(counter, 1);
	counters_add(&listener->refused, 1);
	complain(thread->heritage->counters, "refused a client at %s: %s",
		client_name(address, name), why);
}

void
refuse_client(const struct worker_thread *thread, uint64_t *counter, struct listened *listener,
	int client, const char *why)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof address;

	hubbub_peer(client, (struct sockaddr *)&address, &length);
	refuse(thread, counter, listener, &address, why);
}

bool
has_left(int client, bool has_spoken)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	char byte;

	/* After a reset the kernel knows no peer. */
	if (getpeername(client, (struct sockaddr *)&address, &length) != 0)
		return true;
	return !has_spoken && recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}
