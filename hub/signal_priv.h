#ifndef HUBBUB_SIGNAL_PRIV_H
#define HUBBUB_SIGNAL_PRIV_H

#include "hub/signal.h"

struct hub;

/* Stops all of the hub's that are left. */
void signals_stop(struct hub *hub);

#endif
