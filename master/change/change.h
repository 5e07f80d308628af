/* What changes while the server runs: reload, scale, upgrade, one at a time; and its end, drain and
 * stop.
 *
 * A change ends with change_events.ended, whatever happens; one that fails changes nothing. Whoever
 * drains or stops the server ends the change under way first. */
#ifndef HUBBUB_CHANGE_CHANGE_H
#define HUBBUB_CHANGE_CHANGE_H

#include "master/master.h"

/* Prepares the timers. */
void change_init(struct master *master);

/* What operators ask for. A change that cannot begin returns -1 with *why (valid until the next
 * call); one that has begun returns 0, and change_events.ended tells how it ends, later, unless
 * there was nothing to do: then change is CHANGE_NONE. */
int master_reload(struct master *master, const char **why);
int master_scale(struct master *master, unsigned processes, unsigned threads, const char **why);
int master_upgrade(struct master *master, const char **why);
/* The same as soon as the server has started, no other change is under way, and what was asked for
 * before is done; a drain or a stop forgets it. So many workers more or, if it is negative, fewer,
 * but one stays. In a master that has handed over, the new one is told. */
void master_reload_later(struct master *master);
void master_upgrade_later(struct master *master);
void master_add_workers_later(struct master *master, int workers);

/* It may be time for what is pending. */
void master_do_pending(struct master *master);

void master_drain(struct master *master);
void master_stop(struct master *master, int exit_code);

/* A change has come to its end; why is NULL if it succeeded. */
void master_changed(struct master *master, const char *why);

/* Ends this process if it stops or has handed over, no worker is left, and no other master needs it
 * to stay. */
void master_end_if_gone(struct master *master);

/* Events of the fleet, whose context is the master: the rising generation is ready, or was
 * dropped. */
void change_risen(void *context);
void change_fell(void *context, const char *why);

#endif
