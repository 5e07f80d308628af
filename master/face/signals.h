/* Signals to the master. */
#ifndef HUBBUB_FACE_SIGNALS_H
#define HUBBUB_FACE_SIGNALS_H

#include "master/master.h"

/* TERM, INT and QUIT stop, HUP reloads, USR1 reopens the log, USR2 upgrades, TTIN and TTOU change
 * the number of processes, CHLD tells of the dead. */
void signals_watch(struct master *master);

#endif
