/* kv: a key-value service that speaks the protocol of Redis, and keeps its data in LMDB.
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
#include "writer.h"

#define SWEEP_MOST 1000 /* keys in one transaction, for which other writers wait */

struct kv {
	struct store store;
	size_t longest; /* bytes of a request */
};

static const char *const sync_words[] = {"commit", "data", "never"};

static const struct hubbub_option options[] = {
	{.name = "store",
		.values = "DIRECTORY",
		.help = "Where the data is",
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

/* A worker that replaces a dead one frees what that one's readers held. */
static const char *
forget_dead(struct store *store)
{
	int dead = store_forget_dead(store);

	if (dead > 0)
		hubbub_log(HUBBUB_INFO, "readers have died count=%d", dead);
	return NULL;
}

static const char *
start_worker(void *context)
{
	struct kv *kv = context;
	const char *why = store_open(&kv->store);

	return why != NULL ? why : forget_dead(&kv->store);
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
	int error = store_reader_open(&kv->store);

	return error == 0 ? NULL : hubbub_why("cannot read the store: %s", store_why(error));
}

static const char *
stop_hub(void *context)
{
	(void)context;
	store_reader_close();
	return NULL;
}

static const char *
write_groups(void *context)
{
	struct kv *kv = context;

	return writer_run(&kv->store);
}

static void
sweep_some(struct transaction *transaction, void *swept)
{
	*(size_t *)swept = store_sweep(transaction, SWEEP_MOST);
}

static bool
has_expired(struct store *store)
{
	struct transaction transaction;
	bool is_found;

	store_read(store, &transaction);
	is_found = store_has_expired(&transaction);
	return store_read_end(&transaction) == 0 && is_found;
}

/* Removes keys that have expired, which are invisible already, and readers that have died. */
static const char *
sweep(void *context)
{
	struct kv *kv = context;
	size_t swept;
	int error;

	do {
		forget_dead(&kv->store);
		while (has_expired(&kv->store)) {
			error = writer_change(sweep_some, &swept);
			if (error != 0)
				return hubbub_why("cannot sweep: %s", store_why(error));
			hubbub_count(KV_EXPIRED, swept);
		}
	} while (hub_sleep(HUB_SECOND) == 0);
	return NULL;
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
