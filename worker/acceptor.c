#include "worker/acceptor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/log.h"
#include "worker/complain.h"
#include "worker/datagrams.h"
#include "worker/state.h"

static struct worker_thread *
thread_of(void *context)
{
	return ((struct acceptor *)context)->thread;
}

/* A connection is accepted only with one of the permits that the master gives out. */
static bool
may_accept(void *context)
{
	struct worker_thread *thread = thread_of(context);

	if (counters_take_permits(thread->row, 1) == 1)
		return true;
	/* Until acceptor_retry: there may be several acceptors, and all of them wait then. */
	thread->is_out_of_permits = true;
	return false;
}

static void
not_accepted(void *context)
{
	counters_give_permits(thread_of(context)->row, 1);
}

static bool
take_over(void *context, int client)
{
	const struct acceptor *acceptor = context;

	counters_add(&acceptor->thread->row->accepted, 1);
	return acceptor->uses.take_over(acceptor->thread, client, acceptor->address);
}

void
acceptor_retry(struct worker_thread *thread)
{
	if (!thread->is_out_of_permits)
		return;
	thread->is_out_of_permits = false;
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		if (thread->acceptors[i].server != NULL)
			hub_server_retry(thread->acceptors[i].server);
}

static void
opened(void *context)
{
	counters_add(&thread_of(context)->row->opened, 1);
}

static void
closed(void *context)
{
	struct worker_thread *thread = thread_of(context);

	counters_add(&thread->row->closed, 1);
	counters_give_permits(thread->row, 1);
	acceptor_retry(thread);
}

static void
accept_failed(void *context, int error, bool will_wait)
{
	struct worker_thread *thread = thread_of(context);

	counters_add(will_wait ? &thread->row->accept_limited : &thread->row->accept_aborted, 1);
	if (will_wait)
		complain(thread->heritage->counters,
			"cannot accept connections: %s; trying again as connections close "
			"(raise the file limit: ulimit -n, LimitNOFILE=)",
			strerror(error));
	else if (error == EBADF || error == EINVAL || error == ENOTSOCK)
		log_error("hub %u of worker %u stops accepting: %s", thread->index,
			thread->heritage->index, strerror(error));
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

int
acceptor_init(struct acceptor *acceptor, struct worker_thread *thread, unsigned address, int socket,
	struct acceptor_uses uses)
{
	struct hub_server_options options = {.pool = &thread->pool,
		.opened = opened,
		.closed = closed,
		.may_accept = may_accept,
		.not_accepted = not_accepted,
		.take_over = take_over,
		.accept_failed = accept_failed};

	*acceptor = (struct acceptor){.thread = thread,
		.address = address,
		.uses = uses,
		.is_path = option_of(socket, SO_DOMAIN) == AF_UNIX};
	if (option_of(socket, SO_TYPE) == SOCK_DGRAM) {
		acceptor->datagrams = datagrams_new(thread, socket);
		return acceptor->datagrams != NULL ? 0 : -1;
	}
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

void
acceptor_empty(struct acceptor *acceptor, int64_t until)
{
	const struct worker_thread *thread = acceptor->thread;
	int accepted = acceptor->server != NULL;
	struct hub_timeout scope;

	hub_timeout_start(&scope, until == HUB_FOREVER ? HUB_FOREVER : until - hub_now());
	/* The kernel queues one more than it is told to. */
	for (int left = thread->heritage->backlog + 1;
		left > 0 && accepted == 1 && !thread_is_commanded(thread, THREAD_FINISH) &&
		!thread_is_commanded(thread, THREAD_STOP);
		left--)
		accepted = hub_server_accept_queued(acceptor->server);
	hub_timeout_stop(&scope);
}

void
acceptor_close(struct acceptor *acceptor)
{
	if (acceptor->server != NULL)
		hub_server_close(acceptor->server);
	else
		datagrams_close(acceptor->datagrams);
}

void
acceptor_serve(struct acceptor *acceptor, int client)
{
	struct worker_thread *thread = acceptor->thread;

	if (hub_server_serve(acceptor->server, client) == 0)
		return;
	counters_give_permits(thread->row, 1);
	log_warning("hub %u of worker %u cannot serve a connection that it was given: no memory",
		thread->index, thread->heritage->index);
}
