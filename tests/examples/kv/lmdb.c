/* LMDB as the engine: opening it so that many processes with many hubs can live with it, and
 * transactions over it.
 *
 * LMDB maps a file into each process. Readers see the snapshot that was committed last, and take no
 * lock; there is one writer at a time in the whole server, who holds a lock that the next one takes
 * over if its process dies. So a worker can be killed at any time, and what is committed stays. */
#include "lmdb.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "records.h"
#include "writer.h"

#define SWEEP_MOST 1000 /* keys in one transaction, for which other writers wait */

/* Places for readers, one for each hub of each generation that may live at once. LMDB's own 126
 * are few, and the first process that opens the store decides for all others. A server has at most
 * 2000 hubs; a place takes 64 bytes, once it is used. */
#define READERS_MOST 16384

struct lmdb lmdb;

static const unsigned sync_flags[] = {
	[STORE_SYNC_COMMIT] = 0,
	[STORE_SYNC_DATA] = MDB_NOMETASYNC,
	[STORE_SYNC_NEVER] = MDB_NOSYNC,
};

/* The reader of this hub: a place in the table, which it keeps between its reads. */
static _Thread_local MDB_txn *reader;

static const char *
why(int error)
{
	switch (error) {
	case MDB_MAP_FULL:
		return "the store is full";
	case ENOSPC:
		return "the disk is full";
	case EIO: /* LMDB's word for a write that was cut short, too */
		return "the disk is full, or it fails";
	default:
		return mdb_strerror(error);
	}
}

/* Makes the two tables, if there are none. Returns 0 or an error. */
static int
open_tables(void)
{
	MDB_txn *txn;
	int error = mdb_txn_begin(lmdb.environment, NULL, 0, &txn);

	if (error != 0)
		return error;
	error = mdb_dbi_open(txn, "keys", MDB_CREATE, &lmdb.keys);
	if (error == 0)
		error = mdb_dbi_open(txn, "expiries", MDB_CREATE, &lmdb.expiries);
	if (error == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return error;
}

/* Returns 0 or an error. MDB_NOTLS: a reader is a transaction's, not a thread's. */
static int
open_environment(struct store *store)
{
	int error = mdb_env_create(&lmdb.environment);

	if (error != 0)
		return error;
	mdb_env_set_maxreaders(lmdb.environment, READERS_MOST);
	mdb_env_set_maxdbs(lmdb.environment, 2);
	error = mdb_env_set_mapsize(lmdb.environment, store->most);
	if (error == 0)
		error = mdb_env_open(
			lmdb.environment, store->path, MDB_NOTLS | sync_flags[store->sync], 0600);
	if (error == 0)
		error = open_tables();
	return error;
}

static void
close_store(struct store *store)
{
	(void)store;
	if (lmdb.environment != NULL)
		mdb_env_close(lmdb.environment);
	lmdb.environment = NULL;
}

/* Frees what readers held that have died. */
static void
forget_dead(void)
{
	int dead = 0;

	mdb_reader_check(lmdb.environment, &dead);
	if (dead > 0)
		hubbub_log(HUBBUB_INFO, "readers have died count=%d", dead);
}

static const char *
open_store(struct store *store)
{
	int error = mkdir(store->path, 0700) == 0 || errno == EEXIST ? 0 : errno;

	if (error == 0)
		error = open_environment(store);
	if (error == 0) {
		forget_dead(); /* those of the worker whose place this one takes */
		return NULL;
	}
	close_store(store);
	return hubbub_why("cannot open the store %s: %s%s", store->path, why(error),
		error == ENOMEM ? ": is --store-size more than the addresses that a process has?"
				: "");
}

static const char *
open_reader(struct store *store)
{
	int error = mdb_txn_begin(lmdb.environment, NULL, MDB_RDONLY, &reader);

	(void)store;
	if (error != 0)
		return hubbub_why("cannot read the store: %s", why(error));
	mdb_txn_reset(reader);
	return NULL;
}

static void
close_reader(struct store *store)
{
	(void)store;
	mdb_txn_abort(reader);
	reader = NULL;
}

/* ---- transactions ---- */

/* LMDB refuses to go on in this process after a failed write of the page that says which commit is
 * the last one, and when another server has let the store grow beyond the map: another worker takes
 * its place. */
static void
check_usable(int error)
{
	if (error == MDB_MAP_RESIZED)
		hubbub_log(HUBBUB_ERROR,
			"another server with a larger --store-size uses the store: give each a "
			"store of its own");
	if (error != MDB_PANIC && error != MDB_MAP_RESIZED)
		return;
	hubbub_log(HUBBUB_ERROR, "the store must be opened again: this worker ends");
	_exit(1);
}

/* A snapshot, by this hub's reader: without a lock, and without a wait. */
static int
read_store(struct store *store, store_change *change, void *argument)
{
	struct transaction transaction = engine_begin(store, reader);

	transaction.error = mdb_txn_renew(reader);
	check_usable(transaction.error);
	change(&transaction, argument);
	mdb_txn_reset(reader);
	return transaction.error;
}

struct transaction
lmdb_write(struct store *store)
{
	MDB_txn *txn = NULL;
	int error = mdb_txn_begin(lmdb.environment, NULL, 0, &txn);
	struct transaction transaction = engine_begin(store, txn);

	check_usable(error);
	transaction.error = error;
	return transaction;
}

int
lmdb_write_end(struct transaction *transaction)
{
	if (transaction->error == 0)
		transaction->error = mdb_txn_commit(transaction->handle);
	else if (transaction->handle != NULL)
		mdb_txn_abort(transaction->handle);
	check_usable(transaction->error);
	return transaction->error;
}

static int
run(struct store *store, bool writes, store_change *change, void *argument)
{
	return writes ? writer_change(change, argument) : read_store(store, change, argument);
}

static void
measure(struct transaction *transaction, struct store_size *size)
{
	MDB_stat keys = {0};
	MDB_envinfo info;

	transaction->error = mdb_stat(transaction->handle, lmdb.keys, &keys);
	mdb_env_info(lmdb.environment, &info);
	*size = (struct store_size){.keys = keys.ms_entries,
		.bytes = (info.me_last_pgno + 1) * (size_t)sysconf(_SC_PAGESIZE),
		.most = info.me_mapsize,
		.readers = info.me_numreaders,
		.readers_most = info.me_maxreaders};
}

/* ---- what has expired ---- */

static void
sweep_some(struct transaction *transaction, void *swept)
{
	*(size_t *)swept = records_sweep(transaction, SWEEP_MOST);
}

static void
look_for_expired(struct transaction *transaction, void *is_found)
{
	*(bool *)is_found = records_have_expired(transaction);
}

/* Removes readers that have died, too. */
static const char *
sweep(struct store *store, size_t *swept)
{
	bool is_found = false;
	int error;

	forget_dead();
	error = read_store(store, look_for_expired, &is_found);
	if (error == 0 && is_found)
		error = writer_change(sweep_some, swept);
	return error == 0 ? NULL : hubbub_why("cannot sweep: %s", why(error));
}

const struct engine lmdb_engine = {
	.has_transactions = true,
	.open = open_store,
	.close = close_store,
	.hub_open = open_reader,
	.hub_close = close_reader,
	.write_groups = writer_run,
	.sweep = sweep,
	.why = why,
	.run = run,
	.get = records_get,
	.put = records_put,
	.expire = records_expire,
	.delete = records_delete,
	.increment = records_increment,
	.measure = measure,
};
