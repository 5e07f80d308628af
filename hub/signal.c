/* Signal handlers as coroutines: a libev watcher for each, whose callback spawns one coroutine for
 * each arrival. A signal belongs to one hub of the process; `handled` records which, under the
 * mutex.
 *
 * Facts about libev (4.33) that this file relies on: all watchers of one signal must belong to one
 * loop, or libev aborts; it installs its handler with the first watcher, to run on the interrupted
 * stack, and resets the signal to the default action with the last. */
#include "hub/signal_priv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/coroutine.h"
#include "hub/fork_priv.h"
#include "hub/link.h"
#include "hub/scheduler_priv.h"

struct hub_signal {
	ev_signal watcher;
	struct list link; /* in the list all */
	/* Arrivals whose handlers have not begun; hub_signal_stop drops them. */
	struct list pending;
	struct hub *hub;
	void (*handler)(int number, void *context);
	void *context;
};

/* The hub that handles each signal, and the action before; under the mutex. */
static struct handled {
	struct hub *hub; /* the hub that handles the signal, or NULL */
	unsigned handlers;
	struct sigaction before;
} handled[NSIG];
static struct list all = {&all, &all};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* A signal that has arrived, for one handler. */
struct arrival {
	struct hub_link link;
	struct list siblings;
	void (*handler)(int number, void *context);
	void *context;
	int number;
};

static void *
run_handler(void *argument)
{
	struct arrival *arrival = argument;

	list_remove(&arrival->siblings);
	if (arrival->handler != NULL)
		arrival->handler(arrival->number, arrival->context);
	return NULL;
}

static void
handler_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct arrival *arrival = CONTAINER_OF(link, struct arrival, link);

	(void)coroutine;
	list_remove(&arrival->siblings);
	free(arrival);
}

/* Without memory the signal is lost. */
static void
on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct hub_signal *signal = CONTAINER_OF(watcher, struct hub_signal, watcher);
	struct arrival *arrival = malloc(sizeof *arrival);
	struct hub_coroutine *coroutine = NULL;

	(void)events;
	CHECK(signal->hub == hub_running && signal->hub->loop == loop);
	if (arrival != NULL)
		coroutine = hub_spawn(run_handler, arrival);
	if (coroutine == NULL) {
		free(arrival);
		return;
	}
	*arrival = (struct arrival){.link = {.ended = handler_ended},
		.handler = signal->handler,
		.context = signal->context,
		.number = watcher->signum};
	list_append(&signal->pending, &arrival->siblings);
	hub_set_name(coroutine, "signal");
	hub_link(coroutine, &arrival->link);
	hub_detach(coroutine);
}

/* A fault of the thread must be handled at once, not later by a coroutine. */
static bool
can_handle(int number)
{
	switch (number) {
	case SIGKILL:
	case SIGSTOP:
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGURG: /* the watchdog's */
		return false;
	default:
		/* Signals between the two are reserved by the C library. */
		return number > 0 && number < NSIG && (number < __SIGRTMIN || number >= SIGRTMIN);
	}
}

/* Makes libev's handler run on the signal stack, if the thread has one: a coroutine's stack is
 * small. */
static void
use_signal_stack(int number)
{
	struct sigaction action;

	if (kernel_sigaction(number, NULL, &action) == 0) {
		action.sa_flags |= SA_ONSTACK;
		kernel_sigaction(number, &action, NULL);
	}
}

/* Starts the watcher, if no other hub handles the signal. Returns 0 or EBUSY. */
static int
claim(struct hub *hub, struct hub_signal *signal)
{
	int number = signal->watcher.signum, error = 0;
	struct handled *known = &handled[number];

	pthread_mutex_lock(&mutex);
	CHECK((known->hub != NULL) == (known->handlers > 0));
	if (known->hub != NULL && known->hub != hub) {
		error = EBUSY;
	} else {
		if (known->handlers++ == 0)
			kernel_sigaction(number, NULL, &known->before);
		known->hub = hub;
		list_append(&all, &signal->link);
		ev_signal_start(hub->loop, &signal->watcher);
		use_signal_stack(number);
	}
	pthread_mutex_unlock(&mutex);
	return error;
}

struct hub_signal *
hub_signal_start(int number, void (*handler)(int number, void *context), void *context)
{
	struct hub *hub = hub_this;
	struct hub_signal *signal;
	int error;

	if (hub == NULL || hub->loop == NULL || !can_handle(number)) {
		errno = hub == NULL || hub->loop == NULL ? EPERM : EINVAL;
		return NULL;
	}
	signal = malloc(sizeof *signal);
	if (signal == NULL)
		return NULL;
	*signal = (struct hub_signal){.hub = hub, .handler = handler, .context = context};
	list_init(&signal->pending);
	ev_signal_init(&signal->watcher, on_signal, number);
	error = claim(hub, signal);
	if (error != 0) {
		free(signal);
		errno = error;
		return NULL;
	}
	hub->loop_waits++;
	return signal;
}

/* The mutex is locked. */
static void
give_up(struct hub_signal *signal)
{
	int number = signal->watcher.signum;
	struct handled *known = &handled[number];

	CHECK(known->hub == signal->hub && known->handlers > 0);
	list_remove(&signal->link);
	/* The handler's context may be freed after the stop. */
	LIST_EACH (pending, &signal->pending) {
		CONTAINER_OF(pending, struct arrival, siblings)->handler = NULL;
		list_remove(pending);
	}
	ev_signal_stop(signal->hub->loop, &signal->watcher);
	if (--known->handlers > 0)
		return;
	kernel_sigaction(number, &known->before, NULL);
	known->hub = NULL;
}

void
hub_signal_stop(struct hub_signal *signal)
{
	if (signal == NULL)
		return;
	CHECK_WHY(signal->hub == hub_this, "hub_signal_stop on a thread that is not its own");
	pthread_mutex_lock(&mutex);
	give_up(signal);
	pthread_mutex_unlock(&mutex);
	CHECK(signal->hub->loop_waits > 0);
	signal->hub->loop_waits--;
	free(signal);
}

void
signals_stop(struct hub *hub)
{
	pthread_mutex_lock(&mutex);
	LIST_EACH (link, &all) {
		struct hub_signal *signal = CONTAINER_OF(link, struct hub_signal, link);

		if (signal->hub != hub)
			continue;
		give_up(signal);
		free(signal);
	}
	pthread_mutex_unlock(&mutex);
}

static void
reset(void)
{
	pthread_mutex_init(&mutex, NULL);
	while (!list_is_empty(&all)) {
		struct hub_signal *signal = CONTAINER_OF(all.next, struct hub_signal, link);

		give_up(signal);
		free(signal);
	}
	/* The fork may have met another thread in the middle of a claim. */
	memset(handled, 0, sizeof handled);
}

static __attribute__((constructor(200))) void
register_reset(void)
{
	fork_on_child(reset);
}
