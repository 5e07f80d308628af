#include "hub/leaving_priv.h"

#include <pthread.h>
#include <stdlib.h>

#include "hub/base/list.h"
#include "hub/debug/overflow_priv.h"
#include "hub/debug/watchdog_priv.h"
#include "hub/fork_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/signal_priv.h"

static struct list left = {&left, &left};
static pthread_mutex_t left_mutex = PTHREAD_MUTEX_INITIALIZER;

/* The thread ends in the middle of its hub: nobody watches it any more, and none of its coroutines
 * runs again; its memory stays, since other threads may be about to wake them. */
static void
leave_behind(struct hub *hub)
{
	hub_set_running(NULL);
	watchdog_unwatch(hub);
	signals_stop(hub);
	fork_hub_stopped();
	pthread_mutex_lock(&left_mutex);
	list_append(&left, &hub->watched.link);
	pthread_mutex_unlock(&left_mutex);
}

/* Whose coroutines stay when their thread has ended, because nobody has freed them: whoever uses
 * one is told. */
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

	/* First: the watchdog's signal may come until then, and to valgrind a stack that it had is
	 * one for ever. */
	if (is_in_the_middle)
		leave_behind(hub);
	overflow_thread_stop();
	if (is_in_the_middle)
		return;
	stack_arena_each(&hub->arena, visit_left, NULL);
	stack_arena_fini(&hub->arena);
	free(hub);
}
