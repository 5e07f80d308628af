#include "worker/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "worker/connection.h"

#define PAUSE_FIRST (10 * HUB_MILLISECOND)
#define PAUSE_MAX HUB_SECOND

/* What to do about a failed accept. accept(2) hands on errors of the connection that it would have
 * returned; those are that client's alone. */
enum verdict { VERDICT_NEXT, VERDICT_PAUSE, VERDICT_END };

static enum verdict
judge(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return VERDICT_PAUSE;
	case ECANCELED:
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return VERDICT_END;
	default:
		return VERDICT_NEXT;
	}
}

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

/* Waits before the next attempt: until the pause is over or a connection closes, which frees what
 * was lacking. The kernel's queue holds the clients meanwhile. Returns 0, or -1 if killed. */
static int
back_off(struct acceptor *acceptor, int error)
{
	struct worker_thread *thread = acceptor->thread;
	struct hub_timeout scope;
	int result;

	counters_add(&thread->row->accept_errors[ACCEPT_ERROR_LIMIT], 1);
	if (may_log(thread->heritage->counters))
		log_warning("cannot accept connections: %s; trying again as connections close "
			    "(raise the file limit: ulimit -n, LimitNOFILE=)",
			strerror(error));
	acceptor->pause = acceptor->pause == 0 ? PAUSE_FIRST : acceptor->pause * 2;
	if (acceptor->pause > PAUSE_MAX)
		acceptor->pause = PAUSE_MAX;
	/* While it drains, an order to stop is to be heard soon. */
	if (acceptor->coroutine == NULL)
		acceptor->pause = PAUSE_FIRST;
	hub_event_clear(&thread->closed);
	hub_timeout_start(&scope, acceptor->pause);
	result = hub_event_wait(&thread->closed);
	return hub_timeout_stop(&scope) || result == 0 ? 0 : -1;
}

/* Accepts one connection, waiting for it. Returns whether to go on. */
static bool
accept_one(struct acceptor *acceptor)
{
	int client = hub_accept(acceptor->socket, NULL, NULL);
	int error = errno;

	if (client >= 0) {
		if (connection_open(acceptor->thread, client) == 0) {
			acceptor->pause = 0;
			return true;
		}
		error = errno;
	}
	switch (judge(error)) {
	case VERDICT_NEXT:
		counters_add(&acceptor->thread->row->accept_errors[ACCEPT_ERROR_ABORTED], 1);
		return true;
	case VERDICT_PAUSE:
		return back_off(acceptor, error) == 0;
	case VERDICT_END:
		if (error != ECANCELED)
			log_error("hub %u of worker %u stops accepting: %s",
				acceptor->thread->index, acceptor->thread->heritage->index,
				strerror(error));
		return false;
	}
	return false;
}

static void *
acceptor_run(void *argument)
{
	while (accept_one(argument))
		continue;
	return NULL;
}

void
acceptor_init(struct acceptor *acceptor, struct worker_thread *thread, int socket)
{
	*acceptor = (struct acceptor){.thread = thread, .socket = socket};
}

int
acceptor_start(struct acceptor *acceptor)
{
	acceptor->coroutine = hub_spawn(acceptor_run, acceptor);
	if (acceptor->coroutine == NULL)
		return -1;
	hub_set_name(acceptor->coroutine, "acceptor");
	return 0;
}

static bool
is_queued(int socket)
{
	struct pollfd query = {.fd = socket, .events = POLLIN};

	return poll(&query, 1, 0) == 1 && (query.revents & POLLIN);
}

void
acceptor_drain(struct acceptor *acceptor)
{
	if (acceptor->coroutine != NULL) {
		hub_kill(acceptor->coroutine);
		hub_join(acceptor->coroutine, NULL);
		acceptor->coroutine = NULL;
	}
	while (!thread_is_stopping(acceptor->thread) && is_queued(acceptor->socket) &&
		accept_one(acceptor))
		continue;
	hub_close(acceptor->socket);
	acceptor->socket = -1;
}
