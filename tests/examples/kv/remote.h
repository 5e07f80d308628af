/* Connections of a hub to an engine on another machine. A coroutine has one while it runs a
 * transaction; it waits if all are in use. */
#ifndef KV_REMOTE_H
#define KV_REMOTE_H

#include "store.h"

#define REMOTE_MOST 16 /* connections of a hub */

/* What a kind of connection can do. */
struct remote_kind {
	/* Returns a connection; NULL, after a line in the log, if there is none. */
	void *(*connect)(const struct store *store);
	void (*disconnect)(void *connection);
	int (*fd)(const void *connection);
	/* Runs a transaction. Returns 0 or an error. */
	int (*run)(struct store *store, void *connection, bool writes, store_change *change,
		void *argument);
	/* Whether the connection is of no more use. */
	bool (*is_broken)(const void *connection);
};

/* The parts of an engine that are the same for all kinds. The libraries of clients block, so open
 * has the calls of this process patched. */
void remote_open(void);
const char *remote_hub_open(struct store *store);
void remote_hub_close(struct store *store);
const char *remote_why(int error);
int remote_run(struct store *store, bool writes, store_change *change, void *argument);

#endif
