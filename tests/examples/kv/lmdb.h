/* What the files of the engine LMDB share. */
#ifndef KV_LMDB_H
#define KV_LMDB_H

#include <lmdb.h>

#include "store.h"

extern struct lmdb {
	MDB_env *environment;
	MDB_dbi keys;     /* key: time at which it expires (0: never), value */
	MDB_dbi expiries; /* such a time, key: nothing */
} lmdb;

/* A transaction that writes: begin waits for other writers, and the end for the disk, so both are
 * for another thread than a hub's, and for the same one. The end commits all, or, after an error,
 * which it returns, nothing. */
struct transaction lmdb_write(struct store *store);
int lmdb_write_end(struct transaction *transaction);

#endif
