/* The store: keys and values in an engine, which all workers use at the same time. The engine is
 * LMDB, in a file of this machine; or Redis or PostgreSQL, for servers on many machines. */
#ifndef KV_STORE_H
#define KV_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* Bytes of a key: LMDB's 511, less those of a time, by which keys that expire are sorted. */
#define STORE_KEY_MOST 503

/* What survives a loss of power, in LMDB; the death of any process is survived by all that is
 * committed. */
enum store_sync {
	STORE_SYNC_COMMIT, /* all that is committed: two writes to the disk are waited for */
	STORE_SYNC_DATA,   /* all but perhaps the last commit: one */
	STORE_SYNC_NEVER   /* nothing is sure, not even that the store can be read: none */
};

struct engine;

struct store {
	const char *name;     /* of the engine: lmdb, redis:ADDRESS or postgresql:CONNINFO */
	const char *path;     /* of LMDB: a directory */
	size_t most;          /* of LMDB: bytes of the file */
	enum store_sync sync; /* of LMDB */
	int64_t patience;     /* nanoseconds, for another server to answer */
	const struct engine *engine;
	const char *address; /* ADDRESS or CONNINFO */
};

/* What requests do between its begin and its end; an engine's own calls need it. */
struct transaction {
	struct store *store;
	void *handle; /* the engine's */
	uint64_t now; /* milliseconds since 1970 */
	/* The engine's, or errno's, of the first call that failed; later ones do nothing. */
	int error;
};

/* What is to be done in a transaction. It is called again if the transaction was undone because of
 * others. */
typedef void store_change(struct transaction *transaction, void *argument);

/* Chooses the engine, and opens it: once in a process, after its last fork, before other threads.
 * Another server need not be reached then. Returns NULL, or why it cannot. */
const char *store_open(struct store *store);

/* Closes it; no transaction may be left. */
void store_close(struct store *store);

/* What each hub has of its own. Returns NULL, or why it cannot. */
const char *store_hub_open(struct store *store);
void store_hub_close(struct store *store);

/* The background functions: of each hub, and of one of the server, which removes some keys that
 * have expired, and says how many. They return NULL, or why they failed. */
const char *store_write_groups(struct store *store);
const char *store_sweep(struct store *store, size_t *swept);

/* Whether a change that has failed so has left nothing behind, and each of its requests may be run
 * again by itself. */
bool store_is_undone(const struct store *store, int error);

/* Whether the requests of a change are done all or none. */
bool store_has_transactions(const struct store *store);

/* What an error means. */
const char *store_why(const struct store *store, int error);

/* Runs the change in a transaction, and waits until it is committed. One that does not write may
 * see different moments of an engine on another machine.
 * Switches: yes.  Returns 0 or an error. */
int store_run(struct store *store, bool writes, store_change *change, void *argument);

/* ---- in a transaction ---- */

/* Finds a value. It is the store's own memory: valid until the next call. */
bool store_get(struct transaction *transaction, struct text key, struct text *value);

/* Sets a value, which is not the store's own memory, and when it expires (0: never). */
void store_put(
	struct transaction *transaction, struct text key, struct text value, uint64_t expires);

/* Sets when a key expires. Returns whether there was one. */
bool store_expire(struct transaction *transaction, struct text key, uint64_t expires);

/* Returns whether there was such a key. */
bool store_delete(struct transaction *transaction, struct text key);

enum store_increment { STORE_INCREMENTED, STORE_NO_NUMBER, STORE_TOO_LARGE };

/* Adds 1 to a number, which is 0 if there is none. */
enum store_increment store_increment(
	struct transaction *transaction, struct text key, int64_t *number);

/* How full the store is, as far as the engine says it; else 0. */
struct store_size {
	size_t keys;
	size_t bytes; /* of the file, which gets no smaller: freed pages are used again */
	size_t most;
	unsigned readers; /* places in the table of readers that are taken, or were at one time */
	unsigned readers_most;
};

void store_measure(struct transaction *transaction, struct store_size *size);

#endif
