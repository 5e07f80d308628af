/* hubbub_busy, hubbub_idle and hubbub_asked leave a note on the connection's file descriptor, where
 * idle.c and drain.c find it. The thread-local own is the calling thread's own state, for
 * hubbub_is_draining and hubbub_self. */
#include "worker/service.h"

#include "hub/base/check.h"
#include "hub/io/activity.h"
#include "hub/io/fd.h"
#include "worker/busy.h"
#include "worker/self.h"
#include "worker/state.h"

static _Thread_local struct worker_thread *own;

void
service_use(struct worker_thread *thread)
{
	CHECK_WHY(thread == NULL || own == NULL, "a thread runs one hub at a time");
	own = thread;
}

void
hubbub_busy(int client)
{
	fd_set_busy(client, true);
}

void
hubbub_idle(int client)
{
	fd_set_busy(client, false);
}

void
hubbub_asked(int client)
{
	hub_note_received(client);
}

bool
hubbub_is_draining(void)
{
	return own != NULL && thread_is_leaving(own);
}

const struct hubbub_self *
hubbub_self(void)
{
	if (own != NULL)
		own->self.workers =
			__atomic_load_n(&own->heritage->memo->workers, __ATOMIC_RELAXED);
	return own != NULL ? &own->self : NULL;
}
