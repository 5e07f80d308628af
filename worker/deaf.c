#include "worker/deaf.h"

#include "hub/base/log.h"

void
deaf_fall(struct worker_thread *thread, const char *why)
{
	if (thread_is_leaving(thread))
		return;
	thread->is_deaf = true;
	log_error("hub %u of worker %u cannot accept any more: %s (a listening socket was closed, "
		  "or shut, by other code); it counts as hung from now on",
		thread->index, thread->heritage->index, why);
}
