#include "hub/debug/hooks.h"

#include "hub/run_priv.h"
#include "hub/scheduler_priv.h"

const struct hub_hooks *
hub_set_hooks(const struct hub_hooks *hooks)
{
	struct hub *hub = hub_of_thread();
	const struct hub_hooks *before;

	if (hub == NULL)
		return NULL;
	before = hub->hooks;
	watchdog_set_hooks(hub, hooks);
	return before;
}
