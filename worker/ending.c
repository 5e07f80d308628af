/* Lingering: the worker shuts down its output, then reads and discards until the peer ends, the
 * time is over, or the descriptor was closed. Sleeping between reads instead of waiting to receive
 * keeps the connection from looking idle; the pauses double up to LONGEST_PAUSE. */
#include "worker/ending.h"

#include <sys/socket.h>

#include "hub/base/check.h"
#include "hub/io/leftover.h"
#include "hub/io/opening.h"
#include "worker/state.h"

#define LINGER HUB_SECOND
#define LINGER_FINISHING (200 * HUB_MILLISECOND)
/* A thread may be told to finish at any time, and looks only between two pauses. */
#define LONGEST_PAUSE (LINGER_FINISHING / 4)

static enum leftover
discard(int client, struct worker_thread *thread)
{
	return leftover_discard(client, thread->nowhere, sizeof thread->nowhere);
}

/* Whether the peer's time is over. A thread that is told to finish does not linger as long. */
static bool
is_over(const struct worker_thread *thread, int64_t began)
{
	int64_t most = thread_is_commanded(thread, THREAD_FINISH) ? LINGER_FINISHING : LINGER;

	return hub_now() - began >= most;
}

void
ending_run(int client, const struct fd_opening *opening, struct worker_thread *thread)
{
	int64_t began = hub_now(), pause = HUB_MILLISECOND;
	enum leftover left;

	/* The service may have closed the descriptor, which may be another connection's by now. */
	if (fd_was_closed(opening) || fd_was_reset(opening))
		return;
	left = discard(client, thread);
	if (left == LEFTOVER_ENDED || hub_shutdown(client, SHUT_WR) != 0)
		return;
	/* hub_sleep, not a wait to receive, by which an idle connection is known. A peer that
	 * streams gets no pause, but the hub's other coroutines run between its turns. */
	while (!is_over(thread, began) && hub_sleep(left == LEFTOVER_MORE ? 0 : pause) == 0 &&
		!fd_was_closed(opening)) {
		left = discard(client, thread);
		if (left == LEFTOVER_ENDED)
			return;
		if (left == LEFTOVER_NONE && pause < LONGEST_PAUSE)
			pause *= 2;
		CHECK_WHY(pause < 2 * LONGEST_PAUSE, "FINISH is seen between two pauses");
	}
}
