#ifndef HUBBUB_FORK_PRIV_H
#define HUBBUB_FORK_PRIV_H

#include "hub/fork.h"

/* Makes sure that children forget this process's hubs. */
void fork_prepare(void);

/* How many hubs run in the process. */
void fork_hub_started(void);
void fork_hub_stopped(void);

#endif
