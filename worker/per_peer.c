/* A connection is counted by the hub that serves it, once its peer is known: so one that another
 * hub has accepted is counted once, where it ends, and behind a proxy the client counts. A peer
 * that has too many costs its own connection alone: no hub is without permits for its sake, so
 * limits per peer move no load from one hub to another. */
#include "worker/per_peer.h"

#include <stdio.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "worker/complain.h"
#include "worker/refuse.h"
#include "worker/state.h"
#include "worker/tally.h"

/* Refuses a connection in words that name the option. */
static void
refuse_one_more(const struct worker_thread *thread, struct listened *listener,
	const struct sockaddr_storage *address, enum tally_verdict verdict)
{
	struct tally_limits limits = thread->heritage->settings.per_peer;
	char why[96];

	DCHECK(verdict == TALLY_TOO_MANY || verdict == TALLY_TOO_FAST);
	if (verdict == TALLY_TOO_MANY)
		snprintf(why, sizeof why, "its address has %u connections already (--max-per-peer)",
			limits.open);
	else
		snprintf(why, sizeof why,
			"its address has opened %u connections within a second "
			"(--max-new-per-peer)",
			limits.fresh);
	refuse(thread, &thread->row->refused_peer, listener, address, why);
}

bool
per_peer_enter(const struct worker_thread *thread, struct listened *listener, int client,
	const struct sockaddr_storage *named, struct tally_cell **cell)
{
	const struct worker_heritage *heritage = thread->heritage;
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof address;
	enum tally_verdict verdict;
	uint64_t peer;

	DCHECK(thread_is_here(thread));
	*cell = NULL;
	if (named == NULL) {
		/* Fails after a reset: there is no connection any more that could count. */
		getpeername(client, (struct sockaddr *)&address, &length);
		named = &address;
	}
	if (!tally_peer(named, &peer))
		return true;
	CHECK_WHY(heritage->tally != NULL, "the master makes a tally before it sets a limit");
	verdict = tally_enter(heritage->tally, heritage->counters, thread->row, peer,
		heritage->settings.per_peer, (uint32_t)(clock_now() / CLOCK_SECOND), cell);
	if (verdict == TALLY_COUNTED)
		return true;
	if (verdict != TALLY_FULL) {
		refuse_one_more(thread, listener, named, verdict);
		return false;
	}
	/* Whoever fills the table must not keep other peers out. */
	counters_add(&thread->row->uncounted, 1);
	complain(heritage->counters,
		"too many peers to count: a connection is not limited by --max-per-peer and "
		"--max-new-per-peer");
	return true;
}
