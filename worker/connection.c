#include "worker/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "hub/io/opening.h"
#include "worker/acceptor.h"
#include "worker/complain.h"
#include "worker/proxy.h"
#include "worker/state.h"

#define HANDSHAKE_TIME (10 * HUB_SECOND)
#define LINGER HUB_SECOND
#define LINGER_FINISHING (200 * HUB_MILLISECOND)
#define LOOK_LEAST (20 * HUB_MILLISECOND)
#define LOOK_MOST HUB_SECOND
#define DRAIN_LOOK (20 * HUB_MILLISECOND)
/* A connection that has exchanged something and then been silent for so long is idle. */
#define IDLE_LEAST (500 * HUB_MILLISECOND)
/* All idle ones are told to end within this share of the window. */
#define DRAIN_SHARE 0.8

/* ---- the end of a connection ---- */

/* Reads and forgets what has arrived. Returns whether more may come. */
static bool
discard(int client, struct worker_thread *thread)
{
	ssize_t length;

	do
		length = recv(client, thread->nowhere, sizeof thread->nowhere, MSG_DONTWAIT);
	while (length > 0 || (length == -1 && errno == EINTR));
	return length == -1 && errno == EAGAIN;
}

/* The service may have closed it itself: then the number may be another connection's. */
static void
end(int client, const struct fd_opening *opening, struct worker_thread *thread)
{
	int64_t pause = HUB_MILLISECOND, left;

	if (fd_was_closed(opening) || !discard(client, thread) ||
		hub_shutdown(client, SHUT_WR) != 0)
		return;
	left = thread_is_commanded(thread, THREAD_FINISH) ? LINGER_FINISHING : LINGER;
	/* Not by waiting to receive, which is what an idle connection does. */
	while (left > 0 && hub_sleep(pause) == 0 && !fd_was_closed(opening) &&
		discard(client, thread)) {
		left -= pause;
		pause *= 2;
	}
}

/* ---- its beginning ---- */

/* Who the client is, in words. */
static void
name_client(int client, char *text, size_t size)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof address;
	char host[INET6_ADDRSTRLEN] = "?";
	unsigned port = 0;

	getpeername(client, (struct sockaddr *)&address, &length);
	if (address.ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
		port = ntohs(v4->sin_port);
	} else if (address.ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
		port = ntohs(v6->sin6_port);
	}
	if (port != 0)
		snprintf(text, size, "a client at %s, port %u", host, port);
	else
		snprintf(text, size, "a client");
}

static void
refuse(int client, struct worker_thread *thread, uint64_t *counter, const char *why)
{
	char name[80];

	/* Those that are ended because the hub is to end are no offenders. */
	if (thread_is_commanded(thread, THREAD_FINISH) || thread_is_commanded(thread, THREAD_STOP))
		return;
	counters_add(counter, 1);
	name_client(client, name, sizeof name);
	complain(thread->heritage->counters, "refused %s: %s", name, why);
}

/* Returns whether the client is known, or as well as known. */
static bool
read_proxy_header(int client, const struct acceptor *acceptor, struct sockaddr_storage *address)
{
	struct worker_thread *thread = acceptor->thread;
	struct worker_row *row = thread->row;
	bool is_trusted;
	const char *why;

	if (!proxy_read(client, thread->heritage, acceptor->is_path, address, &is_trusted, &why)) {
		refuse(client, thread, is_trusted ? &row->refused_header : &row->refused_sender,
			why);
		return false;
	}
	if (address->ss_family == AF_UNSPEC || peers_remember(&thread->peers, client, address) == 0)
		return true;
	complain(thread->heritage->counters, "no memory for the name of a client");
	return false;
}

static bool
begin_tls(int client, const struct acceptor *acceptor)
{
	struct worker_thread *thread = acceptor->thread;
	struct hub_timeout scope;
	bool is_done;
	char why[200];

	hub_timeout_start(&scope, HANDSHAKE_TIME);
	is_done = hub_tls_accept(client, thread->heritage->settings.tls) == 0;
	if (!is_done)
		snprintf(why, sizeof why, "%s",
			errno == ETIMEDOUT ? "its TLS handshake took too long" : hub_tls_why());
	hub_timeout_stop(&scope);
	if (!is_done)
		refuse(client, thread, &thread->row->refused_tls, why);
	return is_done;
}

/* Through a proxy, the client has a name here that lasts as long as it is served. */
static __attribute__((noinline)) void
serve_behind_proxy(int client, const struct fd_opening *opening, const struct acceptor *acceptor)
{
	const struct worker_heritage *heritage = acceptor->thread->heritage;
	struct sockaddr_storage address;

	if (!read_proxy_header(client, acceptor, &address))
		return;
	if (heritage->settings.tls == NULL || acceptor->is_path || begin_tls(client, acceptor))
		heritage->serve(client, heritage->context);
	if (!fd_was_closed(opening))
		peers_forget(&acceptor->thread->peers, client);
}

void
connection_serve(int client, void *context)
{
	const struct acceptor *acceptor = context;
	const struct worker_heritage *heritage = acceptor->thread->heritage;
	struct fd_opening opening = fd_opening(client);

	if (heritage->settings.has_proxy)
		serve_behind_proxy(client, &opening, acceptor);
	else if (heritage->settings.tls == NULL || acceptor->is_path || begin_tls(client, acceptor))
		heritage->serve(client, heritage->context);
	end(client, &opening, acceptor->thread);
}

static void
visit_all(struct worker_thread *thread,
	void (*visit)(const struct hub_connection *connection, void *context), void *context)
{
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		if (thread->acceptors[i].server != NULL)
			hub_server_visit(thread->acceptors[i].server, visit, context);
}

/* ---- timeouts ---- */

struct timeouts {
	struct worker_thread *thread;
	int64_t now;
};

/* For how long the peer has taken nothing. That it makes room for the sender again says too little:
 * the kernel tells so only when a third of its buffer is free. */
static int64_t
stuck_for(const struct hub_connection *connection, int64_t now)
{
	struct hub_mark *mark = connection->mark;
	int unacknowledged = 0;

	if (ioctl(connection->client, SIOCOUTQ, &unacknowledged) != 0)
		return now - connection->since;
	if (mark->since < connection->since || mark->value != (uint64_t)unacknowledged)
		*mark = (struct hub_mark){(uint64_t)unacknowledged, now};
	return now - mark->since;
}

static void
check_timeouts(const struct hub_connection *connection, void *context)
{
	const struct timeouts *timeouts = context;
	const struct worker_settings *settings = &timeouts->thread->heritage->settings;
	int64_t waited = timeouts->now - connection->since;

	if (connection->activity == HUB_ACTIVITY_RECEIVING && settings->idle_timeout > 0 &&
		waited >= settings->idle_timeout) {
		counters_add(&timeouts->thread->row->idle_closed, 1);
		hub_end_input(connection->client);
	} else if (connection->activity == HUB_ACTIVITY_SENDING && settings->write_timeout > 0 &&
		   stuck_for(connection, timeouts->now) >= settings->write_timeout) {
		/* What the peer does not read is of no use to it any more, and is not kept. */
		struct linger at_once = {1, 0};

		counters_add(&timeouts->thread->row->write_closed, 1);
		setsockopt(connection->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		shutdown(connection->client, SHUT_RDWR);
	}
}

/* How often to look, so that a timeout is late by an eighth at most. */
static int64_t
look_every(const struct worker_settings *settings)
{
	int64_t shortest = HUB_FOREVER;

	if (settings->idle_timeout > 0)
		shortest = settings->idle_timeout;
	if (settings->write_timeout > 0 && settings->write_timeout < shortest)
		shortest = settings->write_timeout;
	shortest /= 8;
	return shortest < LOOK_LEAST ? LOOK_LEAST : shortest > LOOK_MOST ? LOOK_MOST : shortest;
}

void *
connection_run_timeouts(void *argument)
{
	struct timeouts timeouts = {.thread = argument};

	while (hub_sleep(look_every(&timeouts.thread->heritage->settings)) == 0) {
		timeouts.now = hub_now();
		visit_all(timeouts.thread, check_timeouts, &timeouts);
	}
	return NULL;
}

/* ---- draining ---- */

struct drain {
	int64_t now;
	bool is_finishing;
	size_t told;  /* connections that were told to end */
	size_t quota; /* how many may have been by now */
};

static void
tell_to_end(const struct hub_connection *connection, void *context)
{
	struct drain *drain = context;
	bool is_idle = connection->has_received && drain->now - connection->since >= IDLE_LEAST;

	if (connection->activity != HUB_ACTIVITY_RECEIVING ||
		!(drain->is_finishing || (is_idle && drain->told < drain->quota)))
		return;
	drain->told++;
	hub_end_input(connection->client);
}

void *
connection_run_drain(void *argument)
{
	struct worker_thread *thread = argument;
	double open = (double)hub_pool_count(&thread->pool);
	double window = (double)thread->drain_window * DRAIN_SHARE;
	int64_t began = hub_now();
	struct drain drain = {0};

	do {
		double passed;

		drain.now = hub_now();
		drain.is_finishing = thread_is_commanded(thread, THREAD_FINISH);
		passed = window > 0 ? (double)(drain.now - began) / window : 1;
		drain.quota = passed >= 1 ? SIZE_MAX : (size_t)(open * passed) + 1;
		visit_all(thread, tell_to_end, &drain);
	} while (hub_sleep(DRAIN_LOOK) == 0);
	return NULL;
}
