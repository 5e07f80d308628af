/* The birth of a worker: the fork of a slot's process, with all that the process inherits. */
#ifndef HUBBUB_FLEET_BIRTH_H
#define HUBBUB_FLEET_BIRTH_H

#include "master/fleet/roster.h"

/* Forks a process for a slot that has none, whose seats are bound: sets pid, pidfd, channel and
 * rows. Returns 0, or -1 with errno and nothing changed: ENOSPC if there are no rows for its hubs;
 * otherwise a limit on processes, files, their size, or memory. */
int birth_fork(struct slot *slot);

#endif
