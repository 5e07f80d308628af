/* A deaf hub stops its heartbeat (thread.c), so steering avoids it and the supervisor replaces it
 * by the rules for a hub that hangs. A hub that leaves needs no listener, and cannot become
 * deaf. */
#include "worker/deaf.h"

#include "hub/base/check.h"
#include "hub/base/log.h"

void
deaf_fall(struct worker_thread *thread, const char *why)
{
	DCHECK(thread_is_here(thread));
	if (thread_is_leaving(thread))
		return;
	thread->is_deaf = true;
	log_error("hub %u of worker %u cannot accept any more: %s (other code has closed a "
		  "listening socket, or shut it down); the hub counts as hung from now on",
		thread->index, thread->heritage->index, why);
}
