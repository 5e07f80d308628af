/* websocket: a chat, by the protocol of browsers (RFC 6455). hubbub_main has the processes, threads
 * and options of every server (--help); here is what this one has besides.
 *
 *	websocket --redis=127.0.0.1:6379
 *	a browser at http://127.0.0.1:9092/ */
#include <hubbub/hub.h>
#include <hubbub/patch/patch.h>
#include <hubbub/server.h>

#include "chat.h"
#include "connection.h"
#include "metrics.h"

static const struct hubbub_option options[] = {
	{.name = "redis",
		.values = "HOST:PORT",
		.help = "The Redis by which all processes talk; without it a message reaches the "
			"clients of one process alone",
		.kind = HUBBUB_STRING,
		HUBBUB_FIELD(struct chat, redis.address)},
	{.name = "origin",
		.values = "URL",
		.help = "A server whose pages may connect, such as https://example.org, or * for "
			"any; may be repeated",
		.kind = HUBBUB_LIST,
		HUBBUB_FIELD(struct chat, origins),
		.note = "this server alone"},
	{.name = "longest-message",
		.values = "BYTES",
		.help = "Longest message",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct chat, longest),
		.standard = "64K",
		.least = 1,
		.most = 16 << 20},
	{.name = "queue",
		.values = "BYTES",
		.help = "Most bytes that wait for a client; one that reads more slowly is closed",
		.kind = HUBBUB_SIZE,
		HUBBUB_FIELD(struct chat, queue),
		.standard = "1M",
		.least = 4096,
		.most = 1 << 30},
	{.name = "ping",
		.values = "S",
		.help = "Ping a client that has been silent for so long",
		.kind = HUBBUB_DURATION,
		HUBBUB_FIELD(struct chat, ping),
		.standard = "30",
		.least = HUB_MILLISECOND},
	{.name = "pong",
		.values = "S",
		.help = "Close a client that has not answered a ping for so long",
		.kind = HUBBUB_DURATION,
		HUBBUB_FIELD(struct chat, pong),
		.standard = "10",
		.least = HUB_MILLISECOND},
	{.name = "closing",
		.values = "S",
		.help = "How long a client that is closed may take to read the rest",
		.kind = HUBBUB_DURATION,
		HUBBUB_FIELD(struct chat, closing),
		.standard = "5",
		.least = HUB_MILLISECOND},
	{0},
};

static const struct hubbub_metric metrics[] = {
	[WEBSOCKET_CLIENTS] = {.name = "websocket_clients",
		.help = "Clients in the chat.",
		.kind = HUBBUB_GAUGE},
	[WEBSOCKET_MESSAGES] = {.name = "websocket_messages_total",
		.help = "Messages that clients have sent."},
	[WEBSOCKET_SLOW] = {.name = "websocket_slow_total",
		.help = "Clients closed since they read too slowly."},
	[WEBSOCKET_SILENT] = {.name = "websocket_silent_total",
		.help = "Clients closed since they did not answer a ping."},
	[WEBSOCKET_REDIS] = {.name = "websocket_redis",
		.help = "Workers that Redis connects to the others.",
		.kind = HUBBUB_GAUGE},
	[WEBSOCKET_UNPUBLISHED] = {.name = "websocket_unpublished_total",
		.help = "Messages that have reached one process alone, since Redis did not take "
			"them."},
	{0},
};

static const char *
start_worker(void *context)
{
	struct chat *chat = context;
	const char *why = room_open(&chat->room);

	return why != NULL ? why : redis_open(&chat->redis);
}

static const char *
stop_worker(void *context)
{
	struct chat *chat = context;

	redis_close(&chat->redis);
	room_close(&chat->room);
	return NULL;
}

static const char *
run_room(void *context)
{
	struct chat *chat = context;

	return room_run(&chat->room);
}

static const char *
run_redis(void *context)
{
	struct chat *chat = context;

	return redis_run(&chat->redis, &chat->room);
}

static const struct hubbub_background background[] = {
	{.name = "room", .run = run_room, .where = HUBBUB_EACH_HUB},
	{.name = "redis", .run = run_redis, .where = HUBBUB_EACH_WORKER},
	{0},
};

static void
serve(int client, void *context)
{
	connection_serve(client, context);
}

int
main(int argc, char **argv)
{
	static struct chat chat;
	static const struct hubbub_service service = {
		.name = "websocket",
		.version = "1.0",
		.listen = "127.0.0.1:9092",
		.serve = serve,
		.options = options,
		.context = &chat,
		.context_size = sizeof chat,
		.hooks = {.worker_start = start_worker, .worker_stop = stop_worker},
		.background = background,
		.metrics = metrics,
	};

	hub_patch_all(); /* hiredis blocks */
	return hubbub_main(argc, argv, &service);
}
