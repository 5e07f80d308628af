/* A relay has two ways, each copied by a coroutine. If what a way's target has received is not all,
 * its connection is reset rather than ended. */
#include "relay.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "metrics.h"
#include "upstream.h"

#define PIECE ((uint64_t)256 * 1024) /* after which it is counted */

struct way {
	struct hub_stream *from, *to;
	int source, target; /* their sockets */
	enum proxy_metric bytes;
	struct hub_event over;
	bool is_broken; /* the source has not ended, or not all that it has sent has arrived */
};

struct relay {
	int server;
	int64_t silence;
	struct way up, down;
	struct hub_nursery nursery; /* of the way down */
};

/* Whether neither side of the connection can send any more. */
static bool
is_gone(int fd)
{
	struct pollfd query = {.fd = fd};

	return hub_poll(&query, 1, 0) != 0;
}

/* Copies until the source ends, or one side fails: then errno. */
static bool
copy_all(const struct way *way)
{
	int64_t copied;

	while ((copied = hub_stream_copy(way->from, way->to, PIECE)) > 0)
		hubbub_count(way->bytes, (uint64_t)copied);
	return copied == 0;
}

/* Ends both ways, wherever they wait. */
static void
break_off(struct relay *relay)
{
	relay->up.is_broken = relay->down.is_broken = true;
	hub_nursery_cancel(&relay->nursery);
}

/* For how long the server has neither sent nor been sent anything. */
static int64_t
silent_for(int server)
{
	struct tcp_info info;
	socklen_t length = sizeof info;
	uint32_t last;

	if (getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
		return 0;
	last = info.tcpi_last_data_recv;
	if (info.tcpi_last_data_sent < last)
		last = info.tcpi_last_data_sent;
	return last * HUB_MILLISECOND;
}

/* The other way goes on alone, unless it is silent for too long. */
static void
watch(struct relay *relay, struct way *other)
{
	int64_t left = relay->silence;

	while (left > 0 && hub_event_wait_for(&other->over, left) != 0 && errno == ETIMEDOUT)
		left = relay->silence - silent_for(relay->server);
	if (relay->silence > 0 && left <= 0)
		break_off(relay);
}

/* The other way still carries what the target has sent before it was gone; that is not all, unless
 * the target has ended it (EPIPE). */
static void
fail(struct relay *relay, struct way *way, struct way *other, int error)
{
	if (is_gone(way->source) || !is_gone(way->target)) {
		break_off(relay);
		return;
	}
	way->is_broken = true;
	other->is_broken |= error != EPIPE;
}

static void
run_way(struct relay *relay, struct way *way, struct way *other)
{
	bool has_ended = copy_all(way);
	int error = errno;

	hub_event_set(&way->over);
	if (!has_ended)
		fail(relay, way, other, error);
	else if (!way->is_broken && hub_shutdown(way->target, SHUT_WR) == 0)
		watch(relay, other);
}

static void *
run_down(void *argument)
{
	struct relay *relay = argument;

	run_way(relay, &relay->down, &relay->up);
	return NULL;
}

static void
run_both(struct relay *relay)
{
	hub_nursery_open(&relay->nursery);
	if (hub_nursery_spawn(&relay->nursery, run_down, relay) != NULL)
		run_way(relay, &relay->up, &relay->down);
	else
		break_off(relay); /* no memory */
	hub_nursery_close(&relay->nursery);
}

/* The server of this proxy closes the client's socket, but would tell the client that all is well.
 * This resets a connection at once (connect(2)). */
static void
reset(int client)
{
	static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	connect(client, &nobody, sizeof nobody);
	hubbub_count(PROXY_RESET, 1);
}

static void
set_reset_at_close(int server)
{
	static const struct linger at_once = {.l_onoff = 1};

	setsockopt(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void
relay_run(int client, int server, int64_t silence)
{
	struct hub_stream *below = hub_stream_new(client, NULL);
	struct hub_stream *above = hub_stream_new(server, NULL);
	struct relay relay = {.server = server,
		.silence = silence,
		.up = {.from = below,
			.to = above,
			.source = client,
			.target = server,
			.bytes = PROXY_UP},
		.down = {.from = above,
			.to = below,
			.source = server,
			.target = client,
			.bytes = PROXY_DOWN}};

	if (below != NULL && above != NULL)
		run_both(&relay);
	hub_stream_free(below);
	hub_stream_free(above);
	if (relay.down.is_broken)
		reset(client);
	if (relay.up.is_broken)
		set_reset_at_close(server);
}
