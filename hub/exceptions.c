/* Which exceptions the C++ runtime finds: the running coroutine's, in its own record, or those of
 * the thread outside coroutines. */
#include "hub/exceptions_priv.h"

#include "hub/scheduler_priv.h"

static _Thread_local struct exceptions of_thread __attribute__((tls_model("initial-exec")));

struct exceptions *
exceptions_here(void)
{
	struct hub *hub = hub_this;

	return hub == NULL || hub->current == &hub->root ? &of_thread : &hub->current->exceptions;
}

void
exceptions_keep(const struct hub *hub)
{
	if (hub->current != &hub->root)
		of_thread = hub->current->exceptions;
}
