/* A thread's hub is freed with the thread, unless the thread ended inside hub_run: then the hub's
 * memory stays for ever, in the list `left`, where leak checkers find it, since other threads may
 * be about to wake its coroutines. Coroutines that were never freed stay readable, too. */
#include "hub/leaving_priv.h"

#include <pthread.h>
#include <stdlib.h>

#include "hub/base/list.h"
#include "hub/coroutine_priv.h"
#include "hub/debug/overflow_priv.h"
#include "hub/debug/watchdog_priv.h"
#include "hub/failure_priv.h"
#include "hub/fork_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/signal_priv.h"

/* ---- a run ends ---- */

/* What is called as the others are freed (links, deferred calls, the hook of failures) must not
 * wake it. */
static void
visit_last(struct stack *stack, void *context)
{
	struct hub_coroutine *coroutine = (struct hub_coroutine *)(void *)stack;

	(void)context;
	CHECK(coroutine->state != COROUTINE_RUNNING);
	if (coroutine->state != COROUTINE_DONE && coroutine->state != COROUTINE_SWITCHED)
		coroutine->state = coroutine->is_raw ? COROUTINE_DONE : COROUTINE_SWITCHED;
}

static void
visit_end(struct stack *stack, void *context)
{
	struct hub_coroutine *coroutine = (struct hub_coroutine *)(void *)stack;
	struct hub *hub = context;

	if (!coroutine->is_raw) {
		failure_report(coroutine);
		coroutine_free(coroutine);
		return;
	}
	ev_timer_stop(hub->loop, &coroutine->timer);
	/* This hub's end killed it; the kill ends with the hub. */
	coroutine->is_killed = false;
	coroutine_update_interrupt(coroutine);
}

void
leaving_run(struct hub *hub)
{
	hub_queue_drop(hub);
	stack_arena_each(&hub->arena, visit_last, NULL);
	stack_arena_each(&hub->arena, visit_end, hub);
}

/* ---- a thread ends ---- */

static struct list left = {&left, &left};
static pthread_mutex_t left_mutex = PTHREAD_MUTEX_INITIALIZER;

/* The thread ends inside hub_run: the watchdog must not look at the hub again, and none of its
 * coroutines runs again. */
static void
leave_behind(struct hub *hub)
{
	CHECK(hub == hub_this && hub == hub_running);
	hub_set_running(NULL);
	watchdog_unwatch(hub);
	signals_stop(hub);
	fork_hub_stopped();
	pthread_mutex_lock(&left_mutex);
	list_append(&left, &hub->watched.link);
	pthread_mutex_unlock(&left_mutex);
}

/* The hub of coroutines that outlive their thread because they were never freed: a call on one is
 * recognised and ends the process with a message. */
static struct hub nobody;

static void
visit_left(struct stack *stack, void *context)
{
	(void)context;
	((struct hub_coroutine *)(void *)stack)->hub = &nobody;
}

void
leaving_end(struct hub *hub)
{
	bool is_in_the_middle = hub->loop != NULL;

	/* First, because the watchdog may signal this thread until then; and valgrind never
	 * forgets a signal stack. */
	if (is_in_the_middle)
		leave_behind(hub);
	overflow_thread_stop();
	if (is_in_the_middle)
		return;
	/* What is left are raw coroutines, outside of any run of the hub. */
	CHECK(hub->scheduled == 0 && hub->ready_first == NULL && hub != hub_running);
	stack_arena_each(&hub->arena, visit_left, NULL);
	stack_arena_fini(&hub->arena);
	free(hub);
}
