/* What an engine has to have, for the store. Its calls on keys come in transactions without an
 * error, and set transaction->error. */
#ifndef KV_ENGINE_H
#define KV_ENGINE_H

#include "store.h"

/* Errors beside errno's: those of other servers. */
enum engine_error {
	ENGINE_UNREACHED = 20000, /* nothing was done */
	ENGINE_LATE,              /* nothing was done */
	ENGINE_LOST,              /* it was being done */
	ENGINE_REFUSED            /* the log says why; nothing was done */
};

struct engine {
	bool has_transactions;
	const struct remote_kind *remote; /* its connections; NULL: it is on this machine */
	const char *(*open)(struct store *store);
	void (*close)(struct store *store); /* NULL: not needed */
	const char *(*hub_open)(struct store *store);
	void (*hub_close)(struct store *store);
	const char *(*write_groups)(struct store *store);         /* NULL: not needed */
	const char *(*sweep)(struct store *store, size_t *swept); /* NULL: it does so itself */
	const char *(*why)(int error);                            /* of the errors of its own */
	int (*run)(struct store *store, bool writes, store_change *change, void *argument);
	bool (*get)(struct transaction *transaction, struct text key, struct text *value);
	void (*put)(struct transaction *transaction, struct text key, struct text value,
		uint64_t expires);
	bool (*expire)(struct transaction *transaction, struct text key, uint64_t expires);
	bool (*delete)(struct transaction *transaction, struct text key);
	enum store_increment (*increment)(
		struct transaction *transaction, struct text key, int64_t *number);
	void (*measure)(struct transaction *transaction, struct store_size *size);
};

extern const struct engine lmdb_engine, redis_engine, postgresql_engine;

/* A transaction that begins now. */
struct transaction engine_begin(struct store *store, void *handle);

/* The number that a value is, and 1 more. */
enum store_increment engine_increment(struct text value, int64_t *number);

#endif
