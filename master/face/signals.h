/* The signals by which operators command the master. */
#ifndef HUBBUB_FACE_SIGNALS_H
#define HUBBUB_FACE_SIGNALS_H

#include "master/master.h"

/* Starts watching signals in the master's loop: TERM drains (a second TERM stops at once), INT and
 * QUIT stop at once, HUP reloads, USR1 reopens the log, USR2 upgrades, TTIN and TTOU add and remove
 * a worker, CHLD reaps children. */
void signals_watch(struct master *master);

#endif
