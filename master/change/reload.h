/* Reload: another generation of workers, by the options as they are now. */
#ifndef HUBBUB_CHANGE_RELOAD_H
#define HUBBUB_CHANGE_RELOAD_H

#include "master/master.h"

/* Reads the options again, with their @FILEs, and starts a generation by them. If they are wrong,
 * or change what a running server cannot change, nothing changes. Returns 0, or -1 with *why. */
int reload_start(struct master *master, const char **why);

/* The generation has risen: its options are the master's from now on. */
void reload_finish(struct master *master);

#endif
