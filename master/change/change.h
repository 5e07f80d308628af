/* Changes of the running server (reload, scale, upgrade), one at a time, and its end (drain, stop).
 *
 * Every change ends with change_events.ended, whatever happens. A change that fails leaves the
 * server as before. A drain or a stop first ends the change under way. */
#ifndef HUBBUB_CHANGE_CHANGE_H
#define HUBBUB_CHANGE_CHANGE_H

#include "master/master.h"

/* Prepares the timers; before any other function here. */
void change_init(struct master *master);

/* Begin a change. Each returns -1 with *why (static text, valid until the next call) if the change
 * cannot begin. Otherwise returns 0: change_events.ended follows, unless there was nothing to do,
 * in which case master->change stays CHANGE_NONE. */
int master_reload(struct master *master, const char **why);
int master_scale(struct master *master, unsigned processes, unsigned threads, const char **why);
int master_upgrade(struct master *master, const char **why);
/* Make a change pending: it begins once the server has started, no other change is under way, and
 * earlier requests are done; a drain or a stop forgets it. workers is added to the number of
 * workers and may be negative; one worker stays. A master that has handed over passes the request
 * on to the new master. */
void master_reload_later(struct master *master);
void master_upgrade_later(struct master *master);
void master_add_workers_later(struct master *master, int workers);

/* Begins a pending change, or passes it on, if the time for it has come. */
void master_do_pending(struct master *master);

/* Begins to drain, after --drain-delay; does nothing if the server already drains. */
void master_drain(struct master *master);

/* Ends all workers at once, and then this process with exit_code. */
void master_stop(struct master *master, int exit_code);

/* The change under way has ended; why is NULL if it succeeded. Does nothing without a change. */
void master_changed(struct master *master, const char *why);

/* Ends the loop, and so this process, if the server drains or has handed over, no worker is left,
 * and no other master needs this process to stay. */
void master_end_if_gone(struct master *master);

/* Handlers for fleet_events, with the master as context: the rising generation is ready, or was
 * dropped. */
void change_risen(void *context);
void change_fell(void *context, const char *why);

#endif
