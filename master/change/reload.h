/* Reload: another generation of workers, by options that are read again. */
#ifndef HUBBUB_CHANGE_RELOAD_H
#define HUBBUB_CHANGE_RELOAD_H

#include "master/master.h"

/* Reads the options again, with their @FILEs, and starts a generation by them. If the options are
 * invalid, or differ in what a running server cannot change, nothing changes. Returns 0, or -1 with
 * *why (static text). */
int reload_start(struct master *master, const char **why);

/* The generation has risen: makes its options the master's. */
void reload_finish(struct master *master);

#endif
