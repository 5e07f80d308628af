/* A connection's coroutine: PROXY header, TLS handshake, the service's function, the end. The
 * client's address from the PROXY header lies on this stack; peers.h borrows it for as long as the
 * service runs. A service may close its descriptor at any time, so everything after the service's
 * function first asks whether the descriptor is still the same opening. */
#include "worker/connection.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "hub/base/check.h"
#include "hub/io/activity.h"
#include "hub/io/opening.h"
#include "worker/acceptor.h"
#include "worker/access.h"
#include "worker/ending.h"
#include "worker/per_peer.h"
#include "worker/proxy.h"
#include "worker/refuse.h"
#include "worker/service.h"
#include "worker/state.h"

#define HANDSHAKE_TIME (10 * HUB_SECOND)

/* What became of a connection. */
enum outcome {
	SERVED,     /* or to be served */
	LEFT,       /* its client was gone before */
	REFUSED,    /* its PROXY header or its TLS handshake failed, or there was no memory */
	OVER_LIMIT, /* its peer has too many */
};

/* ---- its beginning ---- */

/* SERVED: its header was right, and the address in it, if any, is remembered. */
static enum outcome
read_proxy_header(int client, const struct acceptor *acceptor, struct sockaddr_storage *address)
{
	struct worker_thread *thread = acceptor->thread;
	const char *why;
	enum proxy_reading reading = proxy_read(client, address, &why);

	if ((reading == PROXY_CUT || reading == PROXY_NOTHING) &&
		has_left(client, reading == PROXY_CUT)) {
		counters_add(&thread->row->left_early, 1);
		return LEFT;
	}
	if (reading != PROXY_READ) {
		refuse_client(
			thread, &thread->row->refused_header, acceptor->listened, client, why);
		return REFUSED;
	}
	fd_begin_anew(client);
	if (address->ss_family == AF_UNSPEC || peers_remember(&thread->peers, client, address) == 0)
		return SERVED;
	refuse_client(thread, &thread->row->refused_memory, acceptor->listened, client,
		"there is no memory for its address from the PROXY header");
	return REFUSED;
}

/* Whether connections of this acceptor are encrypted. */
static bool
is_encrypted(const struct acceptor *acceptor)
{
	const struct worker_settings *settings = &acceptor->thread->heritage->settings;

	return settings->tls != NULL && (!acceptor->is_unix || settings->tls_on_unix);
}

/* noinline keeps its text off the stack below the service's function. */
static __attribute__((noinline)) enum outcome
begin_tls(int client, const struct acceptor *acceptor)
{
	struct worker_thread *thread = acceptor->thread;
	struct hub_timeout scope;
	int error = 0;
	char why[200];

	hub_timeout_start(&scope, HANDSHAKE_TIME);
	if (hub_tls_accept(client, thread->heritage->settings.tls) != 0) {
		error = errno;
		snprintf(why, sizeof why, "%s",
			error == ETIMEDOUT ? "its TLS handshake took too long" : hub_tls_why());
	}
	hub_timeout_stop(&scope);
	if (error == 0)
		return SERVED;
	/* A peer that leaves during the handshake was not refused. */
	if (error == ECONNRESET && has_left(client, false)) {
		counters_add(&thread->row->left_early, 1);
		return LEFT;
	}
	refuse_client(thread, &thread->row->refused_tls, acceptor->listened, client, why);
	return REFUSED;
}

/* Returns whether the connection is to be served: the name of its listener, if any, is
 * remembered. */
static bool
remember_listener(int client, const struct acceptor *acceptor)
{
	struct worker_thread *thread = acceptor->thread;

	if (acceptor->listener == NULL ||
		peers_remember_listener(&thread->peers, client, acceptor->listener->name) == 0)
		return true;
	refuse_client(thread, &thread->row->refused_memory, acceptor->listened, client,
		"there is no memory for the name of its listener");
	return false;
}

/* The TLS handshake, if there is to be one, and the function of the service or of the named
 * listener. Inline, as below, because each frame below that function is memory of every
 * connection. */
static inline __attribute__((always_inline)) enum outcome
serve(int client, const struct acceptor *acceptor)
{
	const struct worker_heritage *heritage = acceptor->thread->heritage;
	const struct hubbub_listener *listener = acceptor->listener;
	enum outcome outcome = SERVED;

	CHECK_WHY(listener == NULL || listener->serve != NULL,
		"the master opens sockets only for what the service serves");
	if (is_encrypted(acceptor))
		outcome = begin_tls(client, acceptor);
	if (outcome != SERVED)
		return outcome;
	if (listener != NULL)
		listener->serve(client, heritage->context);
	else
		heritage->serve(client, heritage->context);
	thread_check_return();
	return SERVED;
}

/* Serves a connection if its peer may have one more; named is the address that a proxy has named,
 * or NULL. */
static inline __attribute__((always_inline)) enum outcome
serve_within_limits(
	int client, const struct acceptor *acceptor, const struct sockaddr_storage *named)
{
	struct tally_cell *cell = NULL;
	enum outcome outcome;

	if (per_peer_is_limited(&acceptor->thread->heritage->settings) &&
		!per_peer_enter(acceptor->thread, acceptor->listened, client, named, &cell))
		return OVER_LIMIT;
	outcome = serve(client, acceptor);
	/* Before its output ends: a peer that sees the end may come again at once. */
	tally_leave(cell);
	return outcome;
}

/* address must outlive the service's call: peers.h borrows it. noinline keeps the address off the
 * stack of connections without a proxy. access may be NULL. */
static __attribute__((noinline)) enum outcome
serve_behind_proxy(int client, const struct fd_opening *opening, const struct acceptor *acceptor,
	struct access *access)
{
	struct sockaddr_storage address;
	enum outcome outcome = read_proxy_header(client, acceptor, &address);

	if (outcome == SERVED) {
		access_name(access, client);
		outcome = serve_within_limits(client, acceptor, &address);
	}
	if (!fd_was_closed(opening))
		peers_forget(&acceptor->thread->peers, client);
	return outcome;
}

static inline __attribute__((always_inline)) enum outcome
serve_wholly(int client, const struct fd_opening *opening, const struct acceptor *acceptor,
	struct access *access)
{
	enum outcome outcome;

	if (!remember_listener(client, acceptor))
		return REFUSED;
	if (acceptor->thread->heritage->settings.has_proxy)
		outcome = serve_behind_proxy(client, opening, acceptor, access);
	else
		outcome = serve_within_limits(client, acceptor, NULL);
	if (acceptor->listener != NULL && !fd_was_closed(opening))
		peers_forget(&acceptor->thread->peers, client);
	if (!fd_was_closed(opening))
		service_served(client);
	return outcome;
}

/* A peer that has too many gets no time beyond them. */
static void
end(int client, const struct fd_opening *opening, const struct acceptor *acceptor,
	enum outcome outcome)
{
	if (outcome != OVER_LIMIT)
		ending_run(client, opening, acceptor->thread);
}

/* noinline, as above: for connections without an access log. */
static __attribute__((noinline)) void
serve_and_log(int client, const struct fd_opening *opening, const struct acceptor *acceptor)
{
	struct access access;
	enum outcome outcome;

	access_begin(&access, client);
	outcome = serve_wholly(client, opening, acceptor, &access);
	access_look(&access, client, opening, outcome == REFUSED || outcome == OVER_LIMIT);
	end(client, opening, acceptor, outcome);
	access_log(&access, client, opening, acceptor->thread->heritage);
}

void
connection_serve(int client, void *context)
{
	const struct acceptor *acceptor = context;
	struct fd_opening opening = fd_opening(client);

	/* Peers, activity and counters are those of this hub, also for a handed connection. */
	DCHECK(thread_is_here(acceptor->thread));
	CHECK_WHY(acceptor->listened != NULL, "each connection counts for a listener");
	if (acceptor->thread->heritage->settings.has_access_log)
		serve_and_log(client, &opening, acceptor);
	else
		end(client, &opening, acceptor, serve_wholly(client, &opening, acceptor, NULL));
}
