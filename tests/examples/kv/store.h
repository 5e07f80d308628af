/* The store: keys and values in LMDB, which all workers have open at the same time.
 *
 * LMDB maps a file into each process. Readers see the snapshot that was committed last, and take no
 * lock; there is one writer at a time in the whole server, who holds a lock that the next one takes
 * over if its process dies. So a worker can be killed at any time, and what is committed stays. */
#ifndef KV_STORE_H
#define KV_STORE_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* Bytes of a key: LMDB's 511, less those of a time, by which keys that expire are sorted. */
#define STORE_KEY_MOST 503

/* What survives a loss of power; the death of any process is survived by all that is committed. */
enum store_sync {
	STORE_SYNC_COMMIT, /* all that is committed: two writes to the disk are waited for */
	STORE_SYNC_DATA,   /* all but perhaps the last commit: one */
	STORE_SYNC_NEVER   /* nothing is sure, not even that the store can be read: none */
};

struct store {
	const char *path; /* a directory */
	size_t most;      /* bytes of the file */
	enum store_sync sync;
	MDB_env *environment;
	MDB_dbi keys;     /* key: time at which it expires (0: never), value */
	MDB_dbi expiries; /* such a time, key: nothing */
};

/* A view of the store, in which nothing changes but what its own calls change. No coroutine may
 * wait while it has one: the snapshot of a reader keeps old pages from being used again. */
struct transaction {
	struct store *store;
	MDB_txn *txn;
	uint64_t now; /* milliseconds since 1970 */
	int error; /* LMDB's, or an errno: of the first call that failed; later ones do nothing */
};

/* Opens the store, and makes it if there is none: once in a process, after its last fork, before
 * other threads. Returns NULL, or why it cannot. */
const char *store_open(struct store *store);

/* Closes it; no transaction may be left. */
void store_close(struct store *store);

/* Frees what readers held that have died; returns how many there were. */
int store_forget_dead(struct store *store);

/* What an error means. */
const char *store_why(int error);

/* ---- transactions ---- */

/* Makes this thread's reader, for its later reads, and frees it. Returns 0 or an error. */
int store_reader_open(struct store *store);
void store_reader_close(void);

/* A snapshot, from begin to end, by this thread's reader: without a lock, and without a wait. The
 * end returns the transaction's error. */
void store_read(struct store *store, struct transaction *transaction);
int store_read_end(struct transaction *transaction);

/* A transaction that writes: begin waits for other writers, and the end for the disk, so both are
 * for another thread than a hub's, and for the same one. The end commits all, or, after an error,
 * which it returns, nothing. */
void store_write(struct store *store, struct transaction *transaction);
int store_write_end(struct transaction *transaction);

/* ---- in a transaction ---- */

/* Finds a value, and when it expires (0: never). It is the store's own memory: valid until the
 * transaction ends, or writes. */
bool store_get(
	struct transaction *transaction, struct text key, struct text *value, uint64_t *expires);

/* Sets a value, which is not the store's own memory. */
void store_put(
	struct transaction *transaction, struct text key, struct text value, uint64_t expires);

/* Sets when a key expires. Returns whether there was one. */
bool store_expire(struct transaction *transaction, struct text key, uint64_t expires);

/* Returns whether there was such a key. */
bool store_delete(struct transaction *transaction, struct text key);

/* Deletes so many keys that have expired, at most; returns how many. */
size_t store_sweep(struct transaction *transaction, size_t most);

/* Whether there is a key that has expired. */
bool store_has_expired(struct transaction *transaction);

/* How full the store is. */
struct store_size {
	size_t keys;
	size_t bytes; /* of the file, which gets no smaller: freed pages are used again */
	size_t most;
	unsigned readers; /* places in the table of readers that are taken, or were at one time */
	unsigned readers_most;
};

void store_measure(struct transaction *transaction, struct store_size *size);

#endif
