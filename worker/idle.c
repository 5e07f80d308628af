/* A coroutine visits all connections of its hub now and then, and ends those whose timeout has
 * passed. It judges by what has moved over the file descriptor (hub/io/activity.h), not by what a
 * coroutine waits for: another coroutine than the serving one may read the connection. A connection
 * that is ended is counted once, when its end begins. */
#include "worker/idle.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "hub/base/check.h"
#include "worker/acceptor.h"
#include "worker/access.h"
#include "worker/state.h"

#define LOOK_LEAST (20 * HUB_MILLISECOND)
#define LOOK_MOST HUB_SECOND

/* One visit of all connections. */
struct look {
	struct worker_thread *thread;
	int64_t now;
};

bool
idle_is_waiting(const struct hub_connection *connection)
{
	return connection->is_receiving && !connection->is_busy && !connection->input_is_ended;
}

bool
idle_is(const struct hub_connection *connection, int64_t now, int64_t nanoseconds)
{
	return idle_is_waiting(connection) && now - connection->since >= nanoseconds;
}

bool
idle_is_doubtful(int client, int64_t nanoseconds, bool or_asked)
{
	struct tcp_info info;
	socklen_t length = sizeof info;
	int unread = 0;
	int64_t last;

	if (getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
		return ioctl(client, SIOCINQ, &unread) == 0 && unread > 0;
	if (or_asked && info.tcpi_last_data_recv < info.tcpi_last_data_sent)
		return true;
	last = info.tcpi_last_data_recv;
	/* A retransmission is the kernel's, of bytes that the peer has not acknowledged: the
	 * service has sent nothing. */
	if (info.tcpi_retransmits == 0 && info.tcpi_last_data_sent < last)
		last = info.tcpi_last_data_sent;
	return last * HUB_MILLISECOND < nanoseconds;
}

/* For how long the peer has taken nothing, in nanoseconds: since the number of unacknowledged bytes
 * last changed. Writability says too little: the kernel reports it only once a third of the send
 * buffer is free. */
static int64_t
stuck_for(const struct hub_connection *connection, int64_t now)
{
	struct hub_mark *mark = connection->mark;
	int unacknowledged = 0;

	if (ioctl(connection->client, SIOCOUTQ, &unacknowledged) != 0)
		return now - connection->sent_since;
	if (mark->since < connection->sent_since || mark->value != (uint64_t)unacknowledged) {
		mark->value = (uint64_t)unacknowledged;
		mark->since = now;
	}
	CHECK_WHY(mark->since <= now, "a time still to come would end the connection late");
	return now - mark->since;
}

static bool
has_idled(const struct hub_connection *connection, const struct look *look)
{
	int64_t timeout = look->thread->heritage->settings.idle_timeout;

	return timeout > 0 && idle_is(connection, look->now, timeout) &&
	       !idle_is_doubtful(connection->client, timeout, false);
}

/* Whether a request has begun and has not become whole in time. Further bytes do not extend the
 * time. */
static bool
is_late(const struct hub_connection *connection, const struct look *look)
{
	int64_t timeout = look->thread->heritage->settings.request_timeout;

	return timeout > 0 && connection->is_asked && idle_is_waiting(connection) &&
	       look->now - connection->asked_since >= timeout;
}

static bool
is_stuck(const struct hub_connection *connection, const struct look *look)
{
	int64_t timeout = look->thread->heritage->settings.write_timeout;

	return timeout > 0 && connection->activity == HUB_ACTIVITY_SENDING &&
	       stuck_for(connection, look->now) >= timeout;
}

static void
check(const struct hub_connection *connection, void *context)
{
	const struct look *look = context;
	struct worker_row *row = look->thread->row;

	DCHECK(connection->since <= look->now && connection->asked_since <= look->now);
	if (is_stuck(connection, look)) {
		/* A reset: the unsent bytes, which the peer does not read, are dropped with it. */
		struct linger at_once = {1, 0};

		counters_add(&row->write_closed, 1);
		connection->mark->note = ACCESS_WRITE_TIMEOUT;
		setsockopt(connection->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		shutdown(connection->client, SHUT_RDWR);
	} else if (is_late(connection, look)) {
		counters_add(&row->request_closed, 1);
		connection->mark->note = ACCESS_REQUEST_TIMEOUT;
		hub_end_input(connection->client);
	} else if (has_idled(connection, look)) {
		counters_add(&row->idle_closed, 1);
		connection->mark->note = ACCESS_IDLE_TIMEOUT;
		hub_end_input(connection->client);
	}
}

/* The shorter of two timeouts, of which 0 is none. */
static int64_t
shorter(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

static int64_t
shortest(const struct worker_settings *settings)
{
	return shorter(settings->idle_timeout,
		shorter(settings->request_timeout, settings->write_timeout));
}

bool
idle_has_timeouts(const struct worker_settings *settings)
{
	return shortest(settings) > 0;
}

/* The pause between two visits, in nanoseconds: a timeout is late by at most an eighth of
 * itself. */
static int64_t
look_every(const struct worker_settings *settings)
{
	int64_t pause = shortest(settings) / 8;

	return pause < LOOK_LEAST ? LOOK_LEAST : pause > LOOK_MOST ? LOOK_MOST : pause;
}

void *
idle_run(void *argument)
{
	struct look look = {.thread = argument};

	CHECK(idle_has_timeouts(&look.thread->heritage->settings));
	while (hub_sleep(look_every(&look.thread->heritage->settings)) == 0) {
		look.now = hub_now();
		acceptor_visit_all(look.thread, check, &look);
	}
	return NULL;
}
