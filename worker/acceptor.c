#include "worker/acceptor.h"

#include <errno.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"

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

static void
serve(int client, void *context)
{
	const struct worker_heritage *heritage = ((struct worker_thread *)context)->heritage;

	heritage->serve(client, heritage->context);
}

static void
opened(void *context)
{
	counters_add(&((struct worker_thread *)context)->row->accepted, 1);
}

static void
closed(void *context)
{
	counters_add(&((struct worker_thread *)context)->row->closed, 1);
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
		.accept_failed = accept_failed};

	return hub_stream_server_new(socket, serve, thread, &options);
}

void
acceptor_drain(struct worker_thread *thread, struct hub_server *acceptor)
{
	int accepted = 1;

	hub_server_pause(acceptor);
	while (!thread_is_stopping(thread) && accepted == 1)
		accepted = hub_server_accept_queued(acceptor);
	hub_server_close(acceptor);
}
