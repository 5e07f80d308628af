#ifndef HUBBUB_DEBUG_WATCHDOG_PRIV_H
#define HUBBUB_DEBUG_WATCHDOG_PRIV_H

#include "hub/debug/watchdog.h"

struct hub;
struct hub_hooks;

/* Sets a hub's hooks, when the watchdog is not calling one of them. */
void watchdog_set_hooks(struct hub *hub, const struct hub_hooks *hooks);

/* A hub starts, or ends. */
void watchdog_watch(struct hub *hub);
void watchdog_unwatch(struct hub *hub);

#endif
