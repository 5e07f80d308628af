/* Redis as the engine, by hiredis, whose blocking calls are patched. Each call is a command, which
 * Redis runs by itself: what was done before another one failed stays done. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "remote.h"

struct connection {
	redisContext *context;
	redisReply *reply; /* to the last command; NULL: none */
};

/* Takes HOST:PORT apart; host has room for the whole. Returns the port, or 0. */
static int
parse_address(const char *address, char *host)
{
	const char *colon = strrchr(address, ':');
	char *end = NULL;
	unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;

	if (port < 1 || port > 65535 || *end != '\0' || colon == address)
		return 0;
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	return (int)port;
}

static const char *
open_redis(struct store *store)
{
	char host[256];

	remote_open();
	if (store->address[0] == '/' ||
		(strlen(store->address) < sizeof host && parse_address(store->address, host) > 0))
		return NULL;
	return hubbub_why("--engine=redis:%s: it is not HOST:PORT, or the path of a Unix socket",
		store->address);
}

static void
disconnect(void *handle)
{
	struct connection *connection = handle;

	freeReplyObject(connection->reply);
	redisFree(connection->context);
	free(connection);
}

static redisContext *
dial(const struct store *store)
{
	char host[256];
	int port;

	if (store->address[0] == '/')
		return redisConnectUnix(store->address);
	port = parse_address(store->address, host);
	return redisConnect(host, port);
}

static void *
connect_redis(const struct store *store)
{
	struct connection *connection = calloc(1, sizeof *connection);

	if (connection == NULL)
		return NULL;
	connection->context = dial(store);
	if (connection->context != NULL && connection->context->err == 0)
		return connection;
	hubbub_log(HUBBUB_ERROR, "Redis is not reached address=%s why=%s", store->address,
		connection->context != NULL ? connection->context->errstr : "no memory");
	disconnect(connection);
	return NULL;
}

static int
fd_of(const void *handle)
{
	return ((const struct connection *)handle)->context->fd;
}

static bool
is_broken(const void *handle)
{
	return ((const struct connection *)handle)->context->err != 0;
}

/* Redis runs each command when it comes, also that of a client that has gone meanwhile. */
static int
run_commands(struct store *store, void *handle, bool writes, store_change *change, void *argument)
{
	struct transaction transaction = engine_begin(store, handle);

	change(&transaction, argument);
	return transaction.error == ENGINE_LOST && !writes ? ENGINE_UNREACHED : transaction.error;
}

/* Sends a command. Returns its reply, also one of an error; NULL if none comes. */
static const redisReply *
try(struct transaction *transaction, const char *format, ...)
{
	struct connection *connection = transaction->handle;
	va_list arguments;

	freeReplyObject(connection->reply);
	va_start(arguments, format);
	connection->reply = redisvCommand(connection->context, format, arguments);
	va_end(arguments);
	if (connection->reply == NULL) {
		hubbub_log(HUBBUB_ERROR, "Redis is lost why=%s", connection->context->errstr);
		transaction->error = ENGINE_LOST;
	}
	return connection->reply;
}

/* Returns the reply to the last command, if it is of that type. */
static const redisReply *
take(struct transaction *transaction, int type)
{
	const redisReply *reply = ((struct connection *)transaction->handle)->reply;

	if (transaction->error != 0 || reply->type == type || reply->type == REDIS_REPLY_NIL)
		return transaction->error != 0 || reply->type != type ? NULL : reply;
	hubbub_log(HUBBUB_ERROR, "Redis refuses a command why=%s",
		reply->type == REDIS_REPLY_ERROR ? reply->str : "a reply of another kind");
	transaction->error = ENGINE_REFUSED;
	return NULL;
}

/* Whether Redis has counted something. */
static bool
has_counted(struct transaction *transaction)
{
	const redisReply *reply = take(transaction, REDIS_REPLY_INTEGER);

	return reply != NULL && reply->integer > 0;
}

static bool
get(struct transaction *transaction, struct text key, struct text *value)
{
	const redisReply *reply;

	try(transaction, "GET %b", key.bytes, key.length);
	reply = take(transaction, REDIS_REPLY_STRING);
	if (reply != NULL)
		*value = (struct text){reply->str, reply->len};
	return reply != NULL;
}

static void
put(struct transaction *transaction, struct text key, struct text value, uint64_t expires)
{
	if (expires == 0)
		try(transaction, "SET %b %b", key.bytes, key.length, value.bytes, value.length);
	else
		try(transaction, "SET %b %b PXAT %llu", key.bytes, key.length, value.bytes,
			value.length, (unsigned long long)expires);
	take(transaction, REDIS_REPLY_STATUS);
}

static bool
expire(struct transaction *transaction, struct text key, uint64_t expires)
{
	try(transaction, "PEXPIREAT %b %llu", key.bytes, key.length, (unsigned long long)expires);
	return has_counted(transaction);
}

static bool delete (struct transaction *transaction, struct text key)
{
	try(transaction, "DEL %b", key.bytes, key.length);
	return has_counted(transaction);
}

static enum store_increment
increment(struct transaction *transaction, struct text key, int64_t *number)
{
	const redisReply *reply = try(transaction, "INCR %b", key.bytes, key.length);

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
		if (strstr(reply->str, "not an integer") != NULL)
			return STORE_NO_NUMBER;
		if (strstr(reply->str, "overflow") != NULL)
			return STORE_TOO_LARGE;
	}
	reply = take(transaction, REDIS_REPLY_INTEGER);
	*number = reply != NULL ? reply->integer : 0;
	return STORE_INCREMENTED;
}

static void
measure(struct transaction *transaction, struct store_size *size)
{
	const redisReply *reply;

	try(transaction, "DBSIZE");
	reply = take(transaction, REDIS_REPLY_INTEGER);
	size->keys = reply != NULL ? (size_t)reply->integer : 0;
}

static const struct remote_kind kind = {
	.connect = connect_redis,
	.disconnect = disconnect,
	.fd = fd_of,
	.run = run_commands,
	.is_broken = is_broken,
};

const struct engine redis_engine = {
	.remote = &kind,
	.open = open_redis,
	.hub_open = remote_hub_open,
	.hub_close = remote_hub_close,
	.why = remote_why,
	.run = remote_run,
	.get = get,
	.put = put,
	.expire = expire,
	.delete = delete,
	.increment = increment,
	.measure = measure,
};
