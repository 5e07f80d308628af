#include "worker/acceptor.h"

#include <errno.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "worker/connection.h"
#include "worker/handoff.h"

/* One line a second for the whole server: who moves the shared clock forward may log. */
static bool
may_log(struct counters *counters)
{
	int64_t now = clock_now();
	int64_t next = __atomic_load_n(&counters->next_accept_line, __ATOMIC_RELAXED);

	return now >= next &&
	       __atomic_compare_exchange_n(&counters->next_accept_line, &next, now + CLOCK_SECOND,
		       false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* A connection is accepted only with one of the permits that the master gives out. */
static bool
may_accept(void *context)
{
	struct worker_thread *thread = context;
	if (counters_take_permits(thread->row, 1) == 1)
		return true;
	/* Until acceptor_retry: there may be several acceptors, and all of them wait then. */
	thread->is_out_of_permits = true;
	return false;
}

static void
not_accepted(void *context)
{
	counters_give_permits(((struct worker_thread *)context)->row, 1);
}

static bool
take_over(void *context, int client)
{
	struct worker_thread *thread = context;

	counters_add(&thread->row->accepted, 1);
	return handoff_offer(thread, client);
}

void
acceptor_retry(struct worker_thread *thread)
{
	if (!thread->is_out_of_permits)
		return;
	thread->is_out_of_permits = false;
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		hub_server_retry(thread->acceptors[i]);
}

static void
opened(void *context)
{
	counters_add(&((struct worker_thread *)context)->row->opened, 1);
}

static void
closed(void *context)
{
	struct worker_thread *thread = context;

	counters_add(&thread->row->closed, 1);
	counters_give_permits(thread->row, 1);
	acceptor_retry(thread);
}

static void
accept_failed(void *context, int error, bool will_wait)
{
	struct worker_thread *thread = context;

	counters_add(
		&thread->row->accept_errors[will_wait ? ACCEPT_ERROR_LIMIT : ACCEPT_ERROR_ABORTED],
		1);
	if (will_wait && may_log(thread->heritage->counters))
		log_warning("cannot accept connections: %s; trying again as connections close "
			    "(raise the file limit: ulimit -n, LimitNOFILE=)",
			strerror(error));
	else if (!will_wait && (error == EBADF || error == EINVAL || error == ENOTSOCK))
		log_error("hub %u of worker %u stops accepting: %s", thread->index,
			thread->heritage->index, strerror(error));
}

struct hub_server *
acceptor_new(struct worker_thread *thread, int socket)
{
	struct hub_server_options options = {.pool = &thread->pool,
		.opened = opened,
		.closed = closed,
		.may_accept = may_accept,
		.not_accepted = not_accepted,
		.take_over = take_over,
		.accept_failed = accept_failed};

	return hub_stream_server_new(socket, connection_serve, thread, &options);
}

void
acceptor_pause(struct hub_server *acceptor)
{
	hub_server_pause(acceptor);
}

void
acceptor_empty(struct worker_thread *thread, struct hub_server *acceptor)
{
	int accepted = 1;

	while (accepted == 1 && !thread_is_commanded(thread, THREAD_FINISH) &&
		!thread_is_commanded(thread, THREAD_STOP))
		accepted = hub_server_accept_queued(acceptor);
}
