/* The watchdog, as hubs use it that start and end. */
#ifndef HUBBUB_DEBUG_WATCHDOG_PRIV_H
#define HUBBUB_DEBUG_WATCHDOG_PRIV_H

#include "hub/debug/watchdog.h"

struct hub;
struct hub_hooks;

/* Sets a hub's hooks, at a moment in which the watchdog's thread is not calling one of them. */
void watchdog_set_hooks(struct hub *hub, const struct hub_hooks *hooks);

/* A hub starts, in its thread; it ends. After watchdog_unwatch the watchdog's thread does not look
 * at it. */
void watchdog_watch(struct hub *hub);
void watchdog_unwatch(struct hub *hub);

#endif
