/* PostgreSQL as the engine, by libpq, whose blocking calls are patched. A run of requests is a
 * transaction, if it writes; a row is locked by whoever has changed it first. */
#include <endian.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "remote.h"

#define TRIES_MOST 5      /* of a transaction that PostgreSQL ends because of another one */
#define SWEEP_MOST "1000" /* keys */

enum { ENDED_FOR_ANOTHER = ENGINE_REFUSED + 1 };

struct connection {
	PGconn *server;
	PGresult *result; /* of the last statement; NULL: none */
};

/* A backend whose client has gone ends soon, too, with its locks. */
static const char preparation[] =
	"SET client_min_messages = error; SET statement_timeout = %lld;"
	"SET idle_in_transaction_session_timeout = %lld; SELECT pg_advisory_lock(1752524386);"
	"CREATE TABLE IF NOT EXISTS hubbub_kv"
	" (key bytea PRIMARY KEY, value bytea NOT NULL, expires bigint NOT NULL);"
	"CREATE INDEX IF NOT EXISTS hubbub_kv_expires ON hubbub_kv (expires) WHERE expires > 0;"
	"SELECT pg_advisory_unlock(1752524386)";

static const char *
open_postgresql(struct store *store)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(store->address, &why);
	const char *answer = NULL;

	remote_open();
	if (options == NULL)
		answer = hubbub_why("--engine=postgresql:%s: %s", store->address,
			why != NULL ? why : "no memory");
	PQconninfoFree(options);
	PQfreemem(why);
	return answer;
}

static void
disconnect(void *handle)
{
	struct connection *connection = handle;

	PQclear(connection->result);
	PQfinish(connection->server);
	free(connection);
}

static bool
prepare(const struct store *store, struct connection *connection)
{
	long long patience = store->patience / 1000000;
	char text[sizeof preparation + 48];

	snprintf(text, sizeof text, preparation, patience, patience);
	connection->result = PQexec(connection->server, text);
	return PQresultStatus(connection->result) == PGRES_TUPLES_OK;
}

static void *
connect_postgresql(const struct store *store)
{
	struct connection *connection = calloc(1, sizeof *connection);

	if (connection == NULL)
		return NULL;
	connection->server = PQconnectdb(store->address);
	if (PQstatus(connection->server) == CONNECTION_OK && prepare(store, connection))
		return connection;
	hubbub_log(HUBBUB_ERROR, "PostgreSQL is not reached why=%s",
		PQerrorMessage(connection->server));
	disconnect(connection);
	return NULL;
}

static int
fd_of(const void *handle)
{
	return PQsocket(((const struct connection *)handle)->server);
}

static bool
is_broken(const void *handle)
{
	PGconn *server = ((const struct connection *)handle)->server;

	return PQstatus(server) != CONNECTION_OK || PQtransactionStatus(server) != PQTRANS_IDLE;
}

/* ---- statements ---- */

static int
error_of(const struct connection *connection)
{
	const char *state = PQresultErrorField(connection->result, PG_DIAG_SQLSTATE);

	if (PQstatus(connection->server) != CONNECTION_OK)
		return ENGINE_UNREACHED;
	if (state != NULL && (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0))
		return ENDED_FOR_ANOTHER;
	return ENGINE_REFUSED;
}

/* Keeps the result of a statement. Returns whether it has succeeded. */
static bool
has_succeeded(struct transaction *transaction, PGresult *result)
{
	struct connection *connection = transaction->handle;
	ExecStatusType status = PQresultStatus(result);

	PQclear(connection->result);
	connection->result = result;
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return true;
	transaction->error = error_of(connection);
	if (transaction->error != ENDED_FOR_ANOTHER)
		hubbub_log(HUBBUB_ERROR, "PostgreSQL fails why=%s",
			PQerrorMessage(connection->server));
	return false;
}

/* Runs a statement with a key ($1), a number ($2) and a value ($3). Returns the rows that it has
 * found or changed; 0 after an error. */
static int
rows(struct transaction *transaction, const char *statement, struct text key, uint64_t number,
	struct text value)
{
	const struct connection *connection = transaction->handle;
	uint64_t in_order = htobe64(number);
	/* "": what is NULL is not there. */
	const char *values[] = {key.length > 0 ? key.bytes : "", (const char *)&in_order,
		value.length > 0 ? value.bytes : ""};
	const int lengths[] = {(int)key.length, sizeof in_order, (int)value.length};
	const int formats[] = {1, 1, 1};
	const Oid types[] = {17, 20, 17}; /* bytea, bigint, bytea */
	PGresult *result =
		PQexecParams(connection->server, statement, 3, types, values, lengths, formats, 1);

	return has_succeeded(transaction, result) ? atoi(PQcmdTuples(result)) : 0;
}

/* The column of the first row that was found. */
static struct text
column(const struct transaction *transaction, int number)
{
	const struct connection *connection = transaction->handle;

	return (struct text){PQgetvalue(connection->result, 0, number),
		(size_t)PQgetlength(connection->result, 0, number)};
}

static uint64_t
number_column(const struct transaction *transaction, int number)
{
	uint64_t in_order;

	memcpy(&in_order, column(transaction, number).bytes, sizeof in_order);
	return be64toh(in_order);
}

/* ---- transactions ---- */

static bool
command(struct transaction *transaction, const char *text)
{
	const struct connection *connection = transaction->handle;

	return has_succeeded(transaction, PQexec(connection->server, text));
}

/* Ends a transaction that writes. Nobody knows how one ended whose end is not answered. */
static void
end(struct transaction *transaction)
{
	const struct connection *connection = transaction->handle;
	int error = transaction->error;

	if (error == 0 && !command(transaction, "COMMIT") && transaction->error == ENGINE_UNREACHED)
		transaction->error = ENGINE_LOST;
	else if (error != 0 && PQstatus(connection->server) == CONNECTION_OK)
		command(transaction, "ROLLBACK");
	if (error != 0)
		transaction->error = error;
}

static int
run_once(struct store *store, void *handle, bool writes, store_change *change, void *argument)
{
	struct transaction transaction = engine_begin(store, handle);

	if (writes && !command(&transaction, "BEGIN"))
		return transaction.error;
	change(&transaction, argument);
	if (writes)
		end(&transaction);
	return transaction.error;
}

static int
run_transaction(
	struct store *store, void *handle, bool writes, store_change *change, void *argument)
{
	int error = ENDED_FOR_ANOTHER;

	for (int i = 0; i < TRIES_MOST && error == ENDED_FOR_ANOTHER; i++)
		error = run_once(store, handle, writes, change, argument);
	return error == ENDED_FOR_ANOTHER ? ENGINE_REFUSED : error;
}

static const struct text nothing = {"", 0};

static bool
get(struct transaction *transaction, struct text key, struct text *value)
{
	static const char statement[] =
		"SELECT value FROM hubbub_kv WHERE key = $1 AND (expires = 0 OR expires > $2)";

	if (rows(transaction, statement, key, transaction->now, nothing) == 0)
		return false;
	*value = column(transaction, 0);
	return true;
}

static void
put(struct transaction *transaction, struct text key, struct text value, uint64_t expires)
{
	rows(transaction,
		"INSERT INTO hubbub_kv VALUES ($1, $3, $2)"
		" ON CONFLICT (key) DO UPDATE SET value = $3, expires = $2",
		key, expires, value);
}

static bool
expire(struct transaction *transaction, struct text key, uint64_t expires)
{
	char now[24];

	snprintf(now, sizeof now, "%" PRIu64, transaction->now);
	return rows(transaction,
		       "UPDATE hubbub_kv SET expires = $2 WHERE key = $1"
		       " AND (expires = 0 OR expires > convert_from($3, 'SQL_ASCII')::bigint)",
		       key, expires, (struct text){now, strlen(now)}) > 0;
}

static bool delete (struct transaction *transaction, struct text key)
{
	return rows(transaction,
		       "DELETE FROM hubbub_kv WHERE key = $1 RETURNING expires = 0 OR expires > $2",
		       key, transaction->now, nothing) > 0 &&
	       column(transaction, 0).bytes[0] != 0;
}

/* The first statement makes the row, if there is none, and locks it. */
static enum store_increment
increment(struct transaction *transaction, struct text key, int64_t *number)
{
	enum store_increment outcome;
	char digits[24];

	if (rows(transaction,
		    "INSERT INTO hubbub_kv AS old VALUES ($1, '0', 0)"
		    " ON CONFLICT (key) DO UPDATE SET key = $1 RETURNING"
		    " CASE WHEN old.expires = 0 OR old.expires > $2 THEN old.value ELSE $3 END",
		    key, transaction->now, (struct text){"0", 1}) == 0)
		return STORE_INCREMENTED;
	outcome = engine_increment(column(transaction, 0), number);
	if (outcome != STORE_INCREMENTED)
		return outcome;
	snprintf(digits, sizeof digits, "%" PRId64, *number);
	rows(transaction,
		"UPDATE hubbub_kv SET value = $3,"
		" expires = CASE WHEN expires > $2 THEN expires ELSE 0 END WHERE key = $1",
		key, transaction->now, (struct text){digits, strlen(digits)});
	return STORE_INCREMENTED;
}

static void
measure(struct transaction *transaction, struct store_size *size)
{
	if (rows(transaction, "SELECT count(*), pg_total_relation_size('hubbub_kv') FROM hubbub_kv",
		    nothing, 0, nothing) == 0)
		return;
	size->keys = number_column(transaction, 0);
	size->bytes = number_column(transaction, 1);
}

static void
sweep_some(struct transaction *transaction, void *swept)
{
	*(size_t *)swept = (size_t)rows(transaction,
		"DELETE FROM hubbub_kv WHERE key IN (SELECT key FROM hubbub_kv"
		" WHERE expires > 0 AND expires <= $2"
		" LIMIT " SWEEP_MOST " FOR UPDATE SKIP LOCKED)",
		nothing, transaction->now, nothing);
}

static const struct remote_kind kind = {
	.connect = connect_postgresql,
	.disconnect = disconnect,
	.fd = fd_of,
	.run = run_transaction,
	.is_broken = is_broken,
};

static const char *
sweep(struct store *store, size_t *swept)
{
	int error = remote_run(store, true, sweep_some, swept);

	return error == 0 ? NULL : hubbub_why("cannot sweep: %s", store_why(store, error));
}

const struct engine postgresql_engine = {
	.has_transactions = true,
	.remote = &kind,
	.open = open_postgresql,
	.hub_open = remote_hub_open,
	.hub_close = remote_hub_close,
	.sweep = sweep,
	.why = remote_why,
	.run = remote_run,
	.get = get,
	.put = put,
	.expire = expire,
	.delete = delete,
	.increment = increment,
	.measure = measure,
};
