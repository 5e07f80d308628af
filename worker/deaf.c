/* A deaf hub stops its heartbeat (thread.c), so steering avoids it and the supervisor replaces it
 * by the rules for a hub that hangs. A hub that leaves needs no listener, and cannot become
 * deaf. */
#include "worker/deaf.h"

#include <string.h>

#include "hub/base/check.h"
#include "hub/base/log.h"

/* A master shuts down the listeners of a hub that it has told to leave some seconds ago. Where the
 * hub, or the leading one, was busy meanwhile, the message comes after the shutdown. */
#define TELL_AFTER (HUB_SECOND / 2)

void
deaf_fall(struct worker_thread *thread, int error)
{
	DCHECK(thread_is_here(thread));
	if (thread_is_leaving(thread) || thread->deaf_since != 0)
		return;
	thread->deaf_since = hub_now();
	thread->deaf_error = error;
}

void
deaf_tell(struct worker_thread *thread)
{
	if (thread->deaf_error == 0 || thread_is_leaving(thread) ||
		hub_now() - thread->deaf_since < TELL_AFTER)
		return;
	log_error("hub %u of worker %u cannot accept any more: %s (other code has closed a "
		  "listening socket, or shut it down); the hub counts as hung from now on",
		thread->index, thread->heritage->index, strerror(thread->deaf_error));
	thread->deaf_error = 0;
}
