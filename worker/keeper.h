/* The keepers of a hub: for each background function of the service that belongs to the hub
 * (background.h) a coroutine that calls it, calls it again when it has failed, and holds its lease
 * if the server has one of it. */
#ifndef HUBBUB_WORKER_KEEPER_H
#define HUBBUB_WORKER_KEEPER_H

#include "worker/state.h"

/* Makes the keepers of a hub that has not begun; they wait until it accepts. Returns false if there
 * is no memory: the memo says so. The hub's thread only, as below. */
bool keeper_begin(struct worker_thread *thread);

/* The hub has no more connections: waits until its background functions have ended. At THREAD_STOP
 * logs which have not, and waits on, until the master kills the worker. Switches: yes. */
void keeper_end(struct worker_thread *thread);

/* Frees the keepers, once the hub has ended. */
void keeper_free(struct worker_thread *thread);

#endif
