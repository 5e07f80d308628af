/* The store: opening LMDB so that many processes with many hubs can live with it, and transactions
 * over it. */
#include "store.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Places for readers, one for each hub of each generation that may live at once. LMDB's own 126
 * are few, and the first process that opens the store decides for all others. A server has at most
 * 2000 hubs; a place takes 64 bytes, once it is used. */
#define READERS_MOST 16384

static const unsigned sync_flags[] = {
	[STORE_SYNC_COMMIT] = 0,
	[STORE_SYNC_DATA] = MDB_NOMETASYNC,
	[STORE_SYNC_NEVER] = MDB_NOSYNC,
};

/* The reader of this hub: a place in the table, which it keeps between its reads. */
static _Thread_local MDB_txn *reader;

const char *
store_why(int error)
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
open_tables(struct store *store)
{
	MDB_txn *txn;
	int error = mdb_txn_begin(store->environment, NULL, 0, &txn);

	if (error != 0)
		return error;
	error = mdb_dbi_open(txn, "keys", MDB_CREATE, &store->keys);
	if (error == 0)
		error = mdb_dbi_open(txn, "expiries", MDB_CREATE, &store->expiries);
	if (error == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return error;
}

/* Returns 0 or an error. MDB_NOTLS: a reader is a transaction's, not a thread's. */
static int
open_environment(struct store *store)
{
	int error = mdb_env_create(&store->environment);

	if (error != 0)
		return error;
	mdb_env_set_maxreaders(store->environment, READERS_MOST);
	mdb_env_set_maxdbs(store->environment, 2);
	error = mdb_env_set_mapsize(store->environment, store->most);
	if (error == 0)
		error = mdb_env_open(
			store->environment, store->path, MDB_NOTLS | sync_flags[store->sync], 0600);
	if (error == 0)
		error = open_tables(store);
	return error;
}

const char *
store_open(struct store *store)
{
	int error = mkdir(store->path, 0700) == 0 || errno == EEXIST ? 0 : errno;

	if (error == 0)
		error = open_environment(store);
	if (error == 0)
		return NULL;
	store_close(store);
	return hubbub_why("cannot open the store %s: %s", store->path, store_why(error));
}

void
store_close(struct store *store)
{
	if (store->environment != NULL)
		mdb_env_close(store->environment);
	store->environment = NULL;
}

int
store_forget_dead(struct store *store)
{
	int dead = 0;

	mdb_reader_check(store->environment, &dead);
	return dead;
}

int
store_reader_open(struct store *store)
{
	int error = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &reader);

	if (error == 0)
		mdb_txn_reset(reader);
	return error;
}

void
store_reader_close(void)
{
	mdb_txn_abort(reader);
	reader = NULL;
}

static void
begin(struct store *store, struct transaction *transaction, MDB_txn *txn, int error)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*transaction = (struct transaction){.store = store, .txn = txn, .error = error};
	transaction->now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
store_read(struct store *store, struct transaction *transaction)
{
	begin(store, transaction, reader, mdb_txn_renew(reader));
}

int
store_read_end(struct transaction *transaction)
{
	mdb_txn_reset(transaction->txn);
	return transaction->error;
}

/* After a failed write of the page that says which commit is the last one, LMDB refuses to go on
 * in this process: another worker takes its place. */
static void
check_panic(int error)
{
	if (error != MDB_PANIC)
		return;
	hubbub_log(HUBBUB_ERROR, "the store must be opened again: this worker ends");
	_exit(1);
}

void
store_write(struct store *store, struct transaction *transaction)
{
	MDB_txn *txn = NULL;
	int error = mdb_txn_begin(store->environment, NULL, 0, &txn);

	check_panic(error);
	begin(store, transaction, txn, error);
}

int
store_write_end(struct transaction *transaction)
{
	if (transaction->error == 0)
		transaction->error = mdb_txn_commit(transaction->txn);
	else if (transaction->txn != NULL)
		mdb_txn_abort(transaction->txn);
	check_panic(transaction->error);
	return transaction->error;
}

void
store_measure(struct transaction *transaction, struct store_size *size)
{
	MDB_stat keys = {0};
	MDB_envinfo info;

	if (transaction->error == 0)
		transaction->error = mdb_stat(transaction->txn, transaction->store->keys, &keys);
	mdb_env_info(transaction->store->environment, &info);
	*size = (struct store_size){.keys = keys.ms_entries,
		.bytes = (info.me_last_pgno + 1) * (size_t)sysconf(_SC_PAGESIZE),
		.most = info.me_mapsize,
		.readers = info.me_numreaders,
		.readers_most = info.me_maxreaders};
}
