/* Group commit: what the connections of a hub write at the same time is one transaction, for which
 * the disk is waited for once. */
#ifndef KV_WRITER_H
#define KV_WRITER_H

#include "store.h"

/* Runs the change in another thread, and waits until it is committed, also if the coroutine is
 * killed meanwhile. For coroutines of a hub in which writer_run runs.
 * Switches: yes.  Returns 0, or an error after which nothing of it is done. */
int writer_change(store_change *change, void *argument);

/* Commits what is given to this hub's writer_change; a background function of each hub. */
const char *writer_run(struct store *store);

#endif
