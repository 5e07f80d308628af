/* The end of a hub's signal handlers (signal.h). */
#ifndef HUBBUB_SIGNAL_PRIV_H
#define HUBBUB_SIGNAL_PRIV_H

#include "hub/signal.h"

struct hub;

/* Stops all handlers of the hub that are left. */
void signals_stop(struct hub *hub);

#endif
