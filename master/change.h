/* What changes while the server runs: reload, scale, upgrade, one at a time; and its end, drain and
 * stop. What operators call is in master.h. */
#ifndef HUBBUB_MASTER_CHANGE_H
#define HUBBUB_MASTER_CHANGE_H

#include "master/master.h"

/* Prepares the timers. */
void change_init(struct master *master);

/* Events of the fleet, whose context is the master: the rising generation is ready, or was dropped. */
void change_risen(void *context);
void change_fell(void *context, const char *why);

#endif
