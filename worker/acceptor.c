/* A stream acceptor is the hub's server (hub/io/server) with callbacks for permits, counters and
 * the log. Invariant: each open connection holds one permit of the row of the hub that serves it;
 * the acceptor takes the permit before accept(2) and gives it back when the connection ends, or
 * when nothing was accepted. A hub that finds no permit stops all of its acceptors until
 * acceptor_retry. */
#include "worker/acceptor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "worker/catalog.h"
#include "worker/complain.h"
#include "worker/datagrams.h"
#include "worker/deaf.h"
#include "worker/keepalive.h"
#include "worker/nofile.h"
#include "worker/proxy.h"
#include "worker/refuse.h"
#include "worker/state.h"

static struct worker_thread *
thread_of(void *context)
{
	return ((struct acceptor *)context)->thread;
}

/* While the worker empties its last queues: a sibling without clients needs no permit any more. */
static bool
take_siblings_permit(const struct worker_thread *thread)
{
	for (unsigned i = 0; i < thread->sibling_count; i++)
		if (counters_take_permits(thread->siblings[i].row, 1) == 1)
			return true;
	return false;
}

/* The master grants the permits; one is taken for each connection, before it is accepted. */
static bool
may_accept(void *context)
{
	struct worker_thread *thread = thread_of(context);

	if (counters_take_permits(thread->row, 1) == 1 ||
		(thread->emptying > 0 && take_siblings_permit(thread)))
		return true;
	/* Stays set until acceptor_retry. All acceptors of the hub wait meanwhile, not only this
	 * one. */
	__atomic_store_n(&thread->is_out_of_permits, true, __ATOMIC_RELAXED);
	return false;
}

void
acceptor_count_accepted(struct acceptor *acceptor)
{
	counters_add(&acceptor->thread->row->accepted, 1);
	counters_add(&acceptor->listened->accepted, 1);
}

static bool
take_over(void *context, int client)
{
	struct acceptor *acceptor = context;

	acceptor_count_accepted(acceptor);
	return acceptor->uses.take_over(acceptor->thread, client, acceptor->address);
}

bool
acceptor_admits(struct acceptor *acceptor, const struct sockaddr_storage *address)
{
	struct worker_thread *thread = acceptor->thread;
	const struct worker_settings *settings = &thread->heritage->settings;

	if (!settings->has_proxy || acceptor->is_unix ||
		proxy_is_trusted(address, settings->networks, settings->network_count))
		return true;
	acceptor_count_accepted(acceptor);
	refuse(thread, &thread->row->refused_sender, acceptor->listened, address,
		"its address is in no network of --proxy-from");
	return false;
}

static bool
admits(void *context, const struct sockaddr_storage *address)
{
	return acceptor_admits(context, address);
}

void
acceptor_retry(struct worker_thread *thread)
{
	DCHECK(thread_is_here(thread));
	if (!thread->is_out_of_permits)
		return;
	__atomic_store_n(&thread->is_out_of_permits, false, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		if (thread->acceptors[i].server != NULL)
			hub_server_retry(thread->acceptors[i].server);
}

static bool
has_queued(const struct worker_thread *thread)
{
	unsigned addresses = thread->heritage->addresses;

	for (unsigned i = 0; i < addresses; i++) {
		struct pollfd query = {
			.fd = thread->heritage->sockets[thread->index * addresses + i],
			.events = POLLIN};

		if (thread->acceptors[i].server != NULL && !thread->acceptors[i].is_closed &&
			kernel_poll_now(&query, 1) == 1 && query.revents == POLLIN)
			return true;
	}
	return false;
}

void
acceptor_count_starved(struct worker_thread *thread)
{
	const struct worker_heritage *heritage = thread->heritage;
	int64_t granted = __atomic_load_n(&heritage->rows[0].granted, __ATOMIC_RELAXED);

	/* With fewer permits than the files allow, more are on their way, or --max-connections is
	 * the limit. */
	if (!thread->is_out_of_permits || granted < heritage->capacity || !has_queued(thread)) {
		thread->starved = 0;
		return;
	}
	if (++thread->starved % THREAD_PULSES == 0)
		counters_add(&thread->row->accept_limited, 1);
}

static void
not_accepted(void *context)
{
	struct worker_thread *thread = thread_of(context);

	counters_give_permits(thread->row, 1);
	acceptor_retry(thread);
}

static void
opened(void *context)
{
	const struct acceptor *acceptor = context;

	counters_add(&thread_of(context)->row->opened, 1);
	counters_add(&acceptor->listened->open, 1);
}

static void
closed(void *context)
{
	const struct acceptor *acceptor = context;
	struct worker_thread *thread = acceptor->thread;

	counters_add(&thread->row->closed, 1);
	counters_add(&acceptor->listened->open, (uint64_t)-1);
	counters_give_permits(thread->row, 1);
	acceptor_retry(thread);
	/* The leaving thread waits for its last connection, or serves a queued client in its
	 * place. */
	if (thread_is_leaving(thread))
		hub_event_set(&thread->command);
}

static void
accept_failed(void *context, int error, bool will_wait)
{
	struct worker_thread *thread = thread_of(context);
	char advice[NOFILE_ADVICE_SIZE];

	counters_add(will_wait ? &thread->row->accept_limited : &thread->row->accept_aborted, 1);
	if (will_wait && (error == EMFILE || error == ENFILE))
		complain(thread->heritage->counters,
			"cannot accept connections: %s; trying again as connections close, and "
			"every second (raise the file limit: %s)",
			strerror(error), nofile_advice_of(advice, error));
	else if (will_wait)
		complain(thread->heritage->counters,
			"cannot accept connections: %s; trying again as connections close, and "
			"every second",
			strerror(error));
	else if (error == EBADF || error == EINVAL || error == ENOTSOCK)
		deaf_fall(thread, error);
}

/* ---- its life ---- */

static int
option_of(int socket, int option)
{
	int value = 0;
	socklen_t length = sizeof value;

	getsockopt(socket, SOL_SOCKET, option, &value, &length);
	return value;
}

/* Where the acceptor's listener is counted. */
static struct listened *
find_counts(struct acceptor *acceptor)
{
	int place = catalog_find_listener(
		acceptor->listener != NULL ? acceptor->listener->name : LISTENED_UNNAMED);

	return place == -1 ? &acceptor->uncounted
			   : (struct listened *)(void *)&acceptor->thread->row->counts[place];
}

int
acceptor_init(struct acceptor *acceptor, struct worker_thread *thread, unsigned address, int socket,
	bool is_kept, struct acceptor_uses uses)
{
	const struct worker_heritage *heritage = thread->heritage;
	struct hub_server_options options = {.pool = &thread->pool,
		.opened = opened,
		.closed = closed,
		.may_accept = may_accept,
		.not_accepted = not_accepted,
		.take_over = take_over,
		.accept_failed = accept_failed};

	*acceptor = (struct acceptor){.thread = thread,
		.address = address,
		.listener = heritage->listeners != NULL ? heritage->listeners[address] : NULL,
		.uses = uses,
		.is_unix = option_of(socket, SO_DOMAIN) == AF_UNIX,
		.is_kept = is_kept};
	acceptor->listened = find_counts(acceptor);
	/* Without PROXY headers every peer is admitted, and accept4 need not return the address. */
	if (heritage->settings.has_proxy && !acceptor->is_unix)
		options.admits = admits;
	if (option_of(socket, SO_TYPE) == SOCK_DGRAM) {
		acceptor->datagrams = datagrams_new(thread, acceptor->listened, socket,
			acceptor->listener != NULL ? acceptor->listener->answer : heritage->answer);
		return acceptor->datagrams != NULL ? 0 : -1;
	}
	keepalive_set(socket, &heritage->settings);
	acceptor->server = hub_stream_server_new(socket, uses.serve, acceptor, &options);
	return acceptor->server != NULL ? 0 : -1;
}

void
acceptor_fini(struct acceptor *acceptor)
{
	hub_server_free(acceptor->server);
	datagrams_free(acceptor->datagrams);
}

int
acceptor_start(struct acceptor *acceptor)
{
	CHECK_WHY(!acceptor->is_closed, "an acceptor that is closed has no socket any more");
	return acceptor->server != NULL ? hub_server_start(acceptor->server)
					: datagrams_start(acceptor->datagrams);
}

void
acceptor_pause(struct acceptor *acceptor)
{
	if (acceptor->server != NULL)
		hub_server_pause(acceptor->server);
	else
		datagrams_stop(acceptor->datagrams);
}

enum acceptor_queue
acceptor_take_queued(struct acceptor *acceptor)
{
	/* The kernel queues backlog + 1. On a socket that a service manager keeps, clients go on
	 * connecting: without this bound the queue might never become empty. */
	unsigned most =
		acceptor->is_kept ? (unsigned)acceptor->thread->heritage->backlog + 1 : UINT_MAX;
	int accepted;

	if (acceptor->server == NULL || acceptor->is_closed || acceptor->taken >= most)
		return ACCEPTOR_EMPTY;
	accepted = hub_server_accept_queued(acceptor->server);
	if (accepted == 1) {
		acceptor->taken++;
		CHECK_WHY(acceptor->taken <= most, "the rest of a kept queue is another server's");
		return ACCEPTOR_TAKEN;
	}
	return accepted < 0 && errno == EAGAIN && !acceptor->is_kept ? ACCEPTOR_FULL
								     : ACCEPTOR_EMPTY;
}

size_t
acceptor_dismiss(struct acceptor *acceptor, int64_t nanoseconds)
{
	size_t gone;

	if (acceptor->server == NULL || acceptor->is_closed || acceptor->is_kept)
		return 0;
	gone = hub_server_dismiss(acceptor->server, nanoseconds);
	counters_add(&acceptor->thread->row->dismissed, gone);
	return gone;
}

void
acceptor_close(struct acceptor *acceptor)
{
	acceptor->is_closed = true;
	if (acceptor->server != NULL)
		hub_server_close(acceptor->server);
	else
		datagrams_close(acceptor->datagrams);
}

void
acceptor_serve(struct acceptor *acceptor, int client)
{
	struct worker_thread *thread = acceptor->thread;
	struct hub_timeout shield;
	int result;

	DCHECK(thread_is_here(thread));
	hub_shield_start(&shield);
	result = hub_server_serve(acceptor->server, client);
	hub_shield_stop(&shield);
	if (result == 0)
		return;
	counters_give_permits(thread->row, 1);
	acceptor_retry(thread);
	log_warning("hub %u of worker %u cannot serve a connection that it was given: no memory",
		thread->index, thread->heritage->index);
}

void
acceptor_visit_all(struct worker_thread *thread,
	void (*visit)(const struct hub_connection *connection, void *context), void *context)
{
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		if (thread->acceptors[i].server != NULL)
			hub_server_visit(thread->acceptors[i].server, visit, context);
}
