/* No watchdog, in the place of hub/debug/watchdog.c: in virtual time nothing blocks a thread. */
#include "hub/debug/hooks.h"
#include "hub/debug/watchdog_priv.h"
#include "hub/record_priv.h"

void
watchdog_set_hooks(struct hub *hub, const struct hub_hooks *hooks)
{
	hub->hooks = hooks;
}

void
watchdog_watch(struct hub *hub)
{
	(void)hub;
}

void
watchdog_unwatch(struct hub *hub)
{
	(void)hub;
}

void
hub_watchdog(int64_t nanoseconds)
{
	(void)nanoseconds;
}

void
hub_expect_blocking(bool is_expected)
{
	(void)is_expected;
}
