/* The store: which engine it is, and what is the same for all of them. */
#include "store.h"

#include <hubbub/server.h>
#include <string.h>
#include <time.h>

#include "engine.h"

static const struct {
	const char *prefix;
	const struct engine *engine;
} engines[] = {
	{"lmdb", &lmdb_engine},
	{"redis:", &redis_engine},
	{"postgresql:", &postgresql_engine},
};

static const char *
choose(struct store *store)
{
	for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
		size_t length = strlen(engines[i].prefix);
		bool has_address = engines[i].prefix[length - 1] == ':';

		if (strncmp(store->name, engines[i].prefix, length) != 0 ||
			has_address != (store->name[length] != '\0'))
			continue;
		store->engine = engines[i].engine;
		store->address = store->name + length;
		return NULL;
	}
	return hubbub_why(
		"--engine=%s is not lmdb, redis:ADDRESS or postgresql:CONNINFO", store->name);
}

const char *
store_open(struct store *store)
{
	const char *why = choose(store);

	return why != NULL ? why : store->engine->open(store);
}

void
store_close(struct store *store)
{
	if (store->engine->close != NULL)
		store->engine->close(store);
}

const char *
store_hub_open(struct store *store)
{
	return store->engine->hub_open(store);
}

void
store_hub_close(struct store *store)
{
	store->engine->hub_close(store);
}

const char *
store_write_groups(struct store *store)
{
	return store->engine->write_groups == NULL ? NULL : store->engine->write_groups(store);
}

const char *
store_sweep(struct store *store, size_t *swept)
{
	*swept = 0;
	return store->engine->sweep == NULL ? NULL : store->engine->sweep(store, swept);
}

bool
store_has_transactions(const struct store *store)
{
	return store->engine->has_transactions;
}

bool
store_is_undone(const struct store *store, int error)
{
	return store->engine->has_transactions && error != ENGINE_LATE && error != ENGINE_LOST;
}

const char *
store_why(const struct store *store, int error)
{
	switch (error) {
	case ENGINE_UNREACHED:
		return "the store is not reached: nothing was done";
	case ENGINE_LATE:
		return "the store does not answer in time: nothing was done";
	case ENGINE_LOST:
		return "the store was lost: whether this was done is not known";
	case ENGINE_REFUSED:
		return "the store refuses this: the log of the server says why";
	default:
		return store->engine->why(error);
	}
}

int
store_run(struct store *store, bool writes, store_change *change, void *argument)
{
	return store->engine->run(store, writes, change, argument);
}

struct transaction
engine_begin(struct store *store, void *handle)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct transaction){.store = store,
		.handle = handle,
		.now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
}

enum store_increment
engine_increment(struct text value, int64_t *number)
{
	if (!text_number(value, number))
		return STORE_NO_NUMBER;
	return __builtin_add_overflow(*number, 1, number) ? STORE_TOO_LARGE : STORE_INCREMENTED;
}

/* ---- in a transaction ---- */

/* Whether the engine is to be asked about a key: what cannot be one is not found. */
static bool
is_asked(const struct transaction *transaction, struct text key)
{
	return transaction->error == 0 && key.length > 0 && key.length <= STORE_KEY_MOST;
}

bool
store_get(struct transaction *transaction, struct text key, struct text *value)
{
	return is_asked(transaction, key) &&
	       transaction->store->engine->get(transaction, key, value);
}

void
store_put(struct transaction *transaction, struct text key, struct text value, uint64_t expires)
{
	if (is_asked(transaction, key))
		transaction->store->engine->put(transaction, key, value, expires);
}

bool
store_expire(struct transaction *transaction, struct text key, uint64_t expires)
{
	return is_asked(transaction, key) &&
	       transaction->store->engine->expire(transaction, key, expires);
}

bool
store_delete(struct transaction *transaction, struct text key)
{
	return is_asked(transaction, key) && transaction->store->engine->delete (transaction, key);
}

enum store_increment
store_increment(struct transaction *transaction, struct text key, int64_t *number)
{
	if (!is_asked(transaction, key))
		return STORE_NO_NUMBER;
	return transaction->store->engine->increment(transaction, key, number);
}

void
store_measure(struct transaction *transaction, struct store_size *size)
{
	*size = (struct store_size){0};
	if (transaction->error == 0)
		transaction->store->engine->measure(transaction, size);
}
