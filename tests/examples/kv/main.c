/* kv: a key-value service that speaks the protocol of Redis, and keeps its data in LMDB, or
 * in Redis or PostgreSQL.
 * hubbub_main has the processes, threads and options of every server (--help); here is what this
 * one has besides.
 *
 *	kv --store=DIRECTORY
 *	redis-cli -p 6380 set greeting hello */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdint.h>

#include "connection.h"
#include "metrics.h"
#include "store.h"

struct kv {
	struct store store;
	size_t longest; /* bytes of a request */
};

static const char *const sync_words[] = {"commit", "data", "never"};

static const struct hubbub_option options[] = {
	{.name = "engine",
		.values = "lmdb|redis:ADDRESS|postgresql:CONNINFO",
		.help = "What keeps the data: LMDB in a file; Redis at HOST:PORT or the path of a "
			"Unix socket; PostgreSQL, by a connection string of libpq",
		.kind = HUBBUB_STRING,
		HUBBUB_FIELD(struct kv, store.name),
		.standard = "lmdb",
		.change = HUBBUB_FIXED},
	{.name = "engine-timeout",
		.values = "SECONDS",
		.help = "Time for Redis or PostgreSQL to answer",
		.kind = HUBBUB_DURATION,
		HUBBUB_FIELD(struct kv, store.patience),
		.standard = "5"},
	{.name = "store",
		.values = "DIRECTORY",
		.help = "Where the data of LMDB is",
		.kind = HUBBUB_STRING,
		HUBBUB_FIELD(struct kv, store.path),
		.standard = "kv.store",
		.least = 1,
		.change = HUBBUB_FIXED},
	/* All processes map the same size. */
	{.name = "store-size",
		.values = "BYTES",
		.help = "Most bytes of the data; they need no memory or disk before they are used",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct kv, store.most),
		.standard = "16G",
		.least = 1 << 20,
		.change = HUBBUB_FIXED},
	{.name = "sync",
		.values = "commit|data|never",
		.help = "What a loss of power leaves: all that was acknowledged; all but perhaps "
			"the last commit; nothing that is sure",
		.kind = HUBBUB_CHOICE,
		HUBBUB_FIELD(struct kv, store.sync),
		HUBBUB_WORDS(sync_words),
		.standard = "commit"},
	{.name = "longest-request",
		.values = "BYTES",
		.help = "Longest request, with all that it sets",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct kv, longest),
		.standard = "1M",
		.least = 4096,
		.most = 32 << 20},
	{0},
};

static const struct hubbub_metric metrics[] = {
	[KV_GROUP] = {.name = "kv_commit_changes",
		.help = "Changes in a commit.",
		.kind = HUBBUB_HISTOGRAM},
	[KV_EXPIRED] = {.name = "kv_expired_total", .help = "Keys that have expired."},
	[KV_REFUSED] = {.name = "kv_refused_total", .help = "Requests that the store failed."},
	{0},
};

static const char *
start_worker(void *context)
{
	struct kv *kv = context;

	return store_open(&kv->store);
}

static const char *
stop_worker(void *context)
{
	struct kv *kv = context;

	store_close(&kv->store);
	return NULL;
}

static const char *
start_hub(void *context)
{
	struct kv *kv = context;

	return store_hub_open(&kv->store);
}

static const char *
stop_hub(void *context)
{
	struct kv *kv = context;

	store_hub_close(&kv->store);
	return NULL;
}

static const char *
write_groups(void *context)
{
	struct kv *kv = context;

	return store_write_groups(&kv->store);
}

/* Removes keys that have expired, which are invisible already. */
static const char *
sweep(void *context)
{
	struct kv *kv = context;
	const char *why;
	size_t swept;

	do {
		do {
			why = store_sweep(&kv->store, &swept);
			hubbub_count(KV_EXPIRED, swept);
		} while (why == NULL && swept > 0);
	} while (why == NULL && hub_sleep(HUB_SECOND) == 0);
	return why;
}

static const struct hubbub_background background[] = {
	{.name = "writer", .run = write_groups, .where = HUBBUB_EACH_HUB},
	{.name = "sweeper", .run = sweep, .where = HUBBUB_ONE_OF_SERVER},
	{0},
};

static void
serve(int client, void *context)
{
	struct kv *kv = context;

	connection_serve(client, &kv->store, kv->longest);
}

int
main(int argc, char **argv)
{
	static struct kv kv;
	static const struct hubbub_service service = {
		.name = "kv",
		.version = "1.0",
		.listen = "127.0.0.1:6380",
		.serve = serve,
		.options = options,
		.context = &kv,
		.context_size = sizeof kv,
		.hooks = {.worker_start = start_worker,
			.worker_stop = stop_worker,
			.hub_start = start_hub,
			.hub_stop = stop_hub},
		.background = background,
		.metrics = metrics,
	};

	return hubbub_main(argc, argv, &service);
}
