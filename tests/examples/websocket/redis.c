/* Two connections, since one that subscribes cannot publish. A message is published as the mark,
 * the opcode, and the bytes. */
#include "redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <hubbub/thread/shared.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "message.h"
#include "metrics.h"
#include "room.h"

#define CHANNEL "hubbub:chat"
#define WAITING_MOST 256 /* messages that wait to be published */
#define TOGETHER_MOST 64 /* of them, in one go */

static const struct timeval patience = {.tv_sec = 5}; /* for Redis to answer */

static const char *
parse_address(struct redis *redis)
{
	const char *colon = strrchr(redis->address, ':');
	char *end = NULL;
	unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;

	if (port < 1 || port > 65535 || *end != '\0' || colon == redis->address ||
		(size_t)(colon - redis->address) >= sizeof redis->host)
		return hubbub_why("--redis=%s is not HOST:PORT", redis->address);
	memcpy(redis->host, redis->address, (size_t)(colon - redis->address));
	redis->port = (int)port;
	return NULL;
}

const char *
redis_open(struct redis *redis)
{
	if (redis->address == NULL) {
		hubbub_log(HUBBUB_INFO, "clients reach this process alone: there is no --redis");
		return NULL;
	}
	if (RAND_bytes((unsigned char *)redis->mark, sizeof redis->mark) != 1)
		return "no random bytes";
	redis->messages = hub_shared_queue_new(WAITING_MOST);
	return redis->messages != NULL ? parse_address(redis) : "no memory";
}

void
redis_close(struct redis *redis)
{
	void *message;

	if (redis->messages == NULL)
		return;
	while (hub_shared_queue_try_get(redis->messages, &message) == 0)
		message_release(message);
	hub_shared_queue_free(redis->messages);
}

bool
redis_is_reached(const struct redis *redis)
{
	return redis->is_subscribed;
}

void
redis_publish(struct redis *redis, struct message *message)
{
	if (redis->address == NULL)
		return;
	message_hold(message);
	if (redis->is_subscribed && hub_shared_queue_try_put(redis->messages, message) == 0)
		return;
	message_release(message);
	hubbub_count(WEBSOCKET_UNPUBLISHED, 1);
}

/* ---- to others ---- */

static void
append(redisContext *connection, const struct redis *redis, const struct message *message)
{
	char head[sizeof redis->mark + 1];
	size_t length = message->length - message->head, all = sizeof head + length;
	char *text = malloc(all);

	if (text == NULL)
		return;
	memcpy(text, redis->mark, sizeof redis->mark);
	text[sizeof redis->mark] = (char)message->opcode;
	memcpy(text + sizeof head, message->frame + message->head, length);
	redisAppendCommand(connection, "PUBLISH " CHANNEL " %b", text, all);
	free(text);
}

/* Publishes a message, and those that wait behind it. Returns whether the connection lasts. */
static bool
publish(redisContext *connection, struct redis *redis, void *message)
{
	unsigned count = 0;
	void *reply;

	do {
		append(connection, redis, message);
		message_release(message);
	} while (++count < TOGETHER_MOST &&
		 hub_shared_queue_try_get(redis->messages, &message) == 0);
	while (count > 0 && redisGetReply(connection, &reply) == REDIS_OK) {
		freeReplyObject(reply);
		count--;
	}
	hubbub_count(WEBSOCKET_UNPUBLISHED, count);
	return count == 0;
}

/* The two connections, which end together: an end is noticed by the one that waits for messages. */
struct pair {
	struct redis *redis;
	struct room *room;
	redisContext *in, *out;
	redisContext *lost; /* the one that has failed */
	struct hub_nursery nursery;
};

static void *
send_all(void *argument)
{
	struct pair *pair = argument;
	void *message;

	while (hub_shared_queue_get(pair->redis->messages, &message) == 0)
		if (!publish(pair->out, pair->redis, message)) {
			pair->lost = pair->out;
			hub_nursery_cancel(&pair->nursery);
			break;
		}
	return NULL;
}

/* ---- from others ---- */

/* Tells this process a message that another one has published. */
static void
hear(const struct redis *redis, struct room *room, const char *text, size_t length)
{
	const size_t head = sizeof redis->mark + 1;
	struct message *message;

	if (length < head || memcmp(text, redis->mark, sizeof redis->mark) == 0)
		return;
	message = message_new((uint8_t)text[head - 1], text + head, length - head);
	if (message != NULL)
		room_tell_process(room, message);
	message_release(message);
}

static void
set_subscribed(struct redis *redis, bool is_subscribed)
{
	redis->is_subscribed = is_subscribed;
	hubbub_gauge_set(WEBSOCKET_REDIS, is_subscribed);
	if (is_subscribed)
		hubbub_log(HUBBUB_INFO, "clients reach all processes redis=%s", redis->address);
}

/* Returns whether it is a reply of one that has subscribed. */
static bool
hear_reply(struct pair *pair, const redisReply *reply)
{
	const redisReply *last;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
		return false;
	last = reply->element[2];
	if (last->type == REDIS_REPLY_STRING)
		hear(pair->redis, pair->room, last->str, last->len);
	else
		set_subscribed(pair->redis, true); /* SUBSCRIBE */
	return true;
}

static void
receive_all(struct pair *pair)
{
	bool is_right = true;
	void *reply;

	redisAppendCommand(pair->in, "SUBSCRIBE " CHANNEL);
	while (is_right && redisGetReply(pair->in, &reply) == REDIS_OK) {
		is_right = hear_reply(pair, reply);
		if (!is_right)
			hubbub_log(HUBBUB_ERROR, "Redis refuses to subscribe why=%s",
				((const redisReply *)reply)->str);
		freeReplyObject(reply);
	}
	if (pair->lost == NULL)
		pair->lost = pair->in;
	set_subscribed(pair->redis, false);
}

/* ---- both ---- */

static void
exchange(struct pair *pair)
{
	hub_nursery_open(&pair->nursery);
	if (hub_nursery_spawn(&pair->nursery, send_all, pair) != NULL)
		receive_all(pair);
	hub_nursery_cancel(&pair->nursery);
	hub_nursery_close(&pair->nursery);
}

/* Returns whether there is a connection; its errstr, if it is one, says why not. */
static bool
join(const struct redis *redis, redisContext **connection)
{
	*connection = redisConnectWithTimeout(redis->host, redis->port, patience);
	if (*connection == NULL || (*connection)->err != 0)
		return false;
	redisEnableKeepAlive(*connection);
	return true;
}

const char *
redis_run(struct redis *redis, struct room *room)
{
	struct pair pair = {.redis = redis, .room = room};
	const char *why = NULL;

	if (redis->address == NULL)
		return NULL;
	if (!join(redis, &pair.in))
		pair.lost = pair.in;
	else if (!join(redis, &pair.out))
		pair.lost = pair.out;
	else
		exchange(&pair);
	if (hub_sleep(0) == 0) /* or this coroutine is to end */
		why = hubbub_why("clients reach this process alone: Redis at %s: %s",
			redis->address, pair.lost != NULL ? pair.lost->errstr : "no memory");
	redisFree(pair.in);
	redisFree(pair.out);
	return why;
}
