/* The commands: a row of the table, and a function, for each. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef void command_fn(
	struct request *request, struct transaction *transaction, struct bytes *reply);

static bool
is_word(struct text text, const char *word)
{
	return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

/* Takes a key. Returns false, with an error as the reply, if it cannot be one. */
static bool
take_key(struct request *request, struct bytes *reply, struct text *key)
{
	*key = resp_take(request);
	if (key->length > 0 && key->length <= STORE_KEY_MOST)
		return true;
	resp_error(reply, "ERR a key has 1 to %d bytes", STORE_KEY_MOST);
	return false;
}

/* Takes when something is to expire: so many seconds from now. */
static bool
take_expiry(struct request *request, struct transaction *transaction, struct bytes *reply,
	uint64_t *expires)
{
	const int64_t most = 1000000000; /* half a life */
	int64_t seconds;

	if (!text_number(resp_take(request), &seconds)) {
		resp_error(reply, "ERR value is not an integer or out of range");
		return false;
	}
	if (seconds > most) {
		resp_error(reply, "ERR an expire time has at most %" PRId64 " seconds", most);
		return false;
	}
	*expires = seconds > 0 ? transaction->now + (uint64_t)seconds * 1000 : 0;
	return true;
}

static void
ping(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	(void)transaction;
	if (request->arguments > 0)
		resp_bulk(reply, resp_take(request));
	else
		resp_simple(reply, "PONG");
}

static void
reply_value(struct transaction *transaction, struct text key, struct bytes *reply)
{
	struct text value;

	if (store_get(transaction, key, &value))
		resp_bulk(reply, value);
	else
		resp_null(reply);
}

static void
get(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	struct text key;

	if (take_key(request, reply, &key))
		reply_value(transaction, key, reply);
}

static void
mget(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	resp_array(reply, request->arguments);
	while (request->arguments > 0 && !reply->is_cut)
		reply_value(transaction, resp_take(request), reply);
}

/* SET KEY VALUE [EX SECONDS] */
static void
set(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	struct text key, value;
	uint64_t expires = 0;

	if (!take_key(request, reply, &key))
		return;
	value = resp_take(request);
	if (request->arguments == 1 ||
		(request->arguments == 2 && !is_word(resp_take(request), "EX"))) {
		resp_error(reply, "ERR syntax error: SET KEY VALUE [EX SECONDS]");
		return;
	}
	if (request->arguments == 1) {
		if (!take_expiry(request, transaction, reply, &expires))
			return;
		if (expires == 0) {
			resp_error(reply, "ERR invalid expire time in 'set' command");
			return;
		}
	}
	store_put(transaction, key, value, expires);
	resp_simple(reply, "OK");
}

static void
del(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	int64_t deleted = 0;

	while (request->arguments > 0)
		deleted += store_delete(transaction, resp_take(request));
	resp_integer(reply, deleted);
}

static void
incr(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	int64_t number = 0;
	struct text key;

	if (!take_key(request, reply, &key))
		return;
	switch (store_increment(transaction, key, &number)) {
	case STORE_INCREMENTED:
		resp_integer(reply, number);
		break;
	case STORE_NO_NUMBER:
		resp_error(reply, "ERR value is not an integer or out of range");
		break;
	case STORE_TOO_LARGE:
		resp_error(reply, "ERR increment or decrement would overflow");
		break;
	}
}

static void
expire(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	struct text key;
	uint64_t expires;
	bool is_done;

	if (!take_key(request, reply, &key) || !take_expiry(request, transaction, reply, &expires))
		return;
	is_done = expires == 0 ? store_delete(transaction, key)
			       : store_expire(transaction, key, expires);
	resp_integer(reply, is_done);
}

static void
info(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	struct store_size size;
	char text[512];

	(void)request;
	store_measure(transaction, &size);
	snprintf(text, sizeof text,
		"# Store\r\nkeys:%zu\r\nbytes:%zu\r\nbytes_most:%zu\r\nreaders:%u\r\n"
		"readers_most:%u\r\n",
		size.keys, size.bytes, size.most, size.readers, size.readers_most);
	resp_bulk(reply, (struct text){text, strlen(text)});
}

#define ANY SIZE_MAX

static const struct command {
	const char *name;
	size_t least, most; /* arguments */
	command_fn *run;
	bool writes;
} commands[] = {
	{"PING", 0, 1, ping, false},
	{"GET", 1, 1, get, false},
	{"MGET", 1, ANY, mget, false},
	{"SET", 2, 4, set, true},
	{"DEL", 1, ANY, del, true},
	{"INCR", 1, 1, incr, true},
	{"EXPIRE", 2, 2, expire, true},
	{"INFO", 0, 1, info, false},
};

static const struct command *
find(const struct request *request)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (is_word(request->name, commands[i].name))
			return &commands[i];
	return NULL;
}

bool
command_writes(const struct request *request)
{
	const struct command *command = find(request);

	return command != NULL && command->writes;
}

void
command_run(struct request *request, struct transaction *transaction, struct bytes *reply)
{
	const struct command *command = find(request);
	size_t before = reply->length;

	if (command == NULL)
		resp_error(reply, "ERR unknown command '%.*s'",
			(int)(request->name.length < 64 ? request->name.length : 64),
			request->name.bytes);
	else if (request->arguments < command->least || request->arguments > command->most)
		resp_error(reply, "ERR wrong number of arguments for '%s' command", command->name);
	else
		command->run(request, transaction, reply);
	if (reply->is_cut) {
		bytes_cut_back(reply, before);
		resp_error(reply, "ERR the reply is too long, or there is no memory");
	}
}
