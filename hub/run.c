/* A hub from its start to its end: makes it, turns it (run what is runnable, then poll), ends it.
 *
 * The top module of this library: whatever a hub consists of (the loop, the table of descriptors,
 * the mailbox, the watchdog's record) is started and stopped here, and no module below knows
 * how. */
#include "hub/run_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/base/room.h"
#include "hub/base/settings.h"
#include "hub/chance_priv.h"
#include "hub/coroutine_priv.h"
#include "hub/debug/dump.h"
#include "hub/debug/hooks.h"
#include "hub/debug/overflow_priv.h"
#include "hub/debug/watchdog_priv.h"
#include "hub/exceptions_priv.h"
#include "hub/failure_priv.h"
#include "hub/fork_priv.h"
#include "hub/io/buffers_priv.h"
#include "hub/io/fd_priv.h"
#include "hub/io/identity_priv.h"
#include "hub/io/libev_priv.h"
#include "hub/io/own_priv.h"
#include "hub/io/signs_priv.h"
#include "hub/io/sweep_priv.h"
#include "hub/io/table_priv.h"
#include "hub/leaving_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/signal_priv.h"
#include "hub/spin_priv.h"
#include "hub/thread/mailbox_priv.h"
#include "hub/trim_priv.h"
#include "hub/waiters_priv.h"

/* While a hub ends: how many times coroutines that still wait get EDEADLK before the hub gives up
 * on them. */
#define LAST_WORDS_MAX 8

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* ---- the hub of a thread ---- */

/* Makes this thread's hub, without a loop. NULL with errno ENOMEM. */
static struct hub *
hub_make(size_t stack_size)
{
	struct hub *hub = calloc(1, sizeof *hub);

	if (hub == NULL || overflow_thread_start() != 0) {
		free(hub);
		errno = ENOMEM;
		return NULL;
	}
	stack_arena_init(&hub->arena, stack_size, sizeof(struct hub_coroutine));
	annotate_stack_native(&hub->root.stack.annotate);
	hub->root.hub = hub;
	strcpy(hub->root.name, "hub");
	hub->root.state = COROUTINE_RUNNING;
	hub->current = &hub->root;
	hub->free = leaving_end;
	hub->dump = hub_dump;
	hub_remember(hub);
	return hub;
}

struct hub *
hub_of_thread(void)
{
	return hub_this != NULL ? hub_this : hub_make(STACK_SIZE_DEFAULT);
}

const struct hub_hooks *
hub_set_hooks(const struct hub_hooks *hooks)
{
	struct hub *hub = hub_of_thread();
	const struct hub_hooks *before;

	if (hub == NULL || (hooks != NULL && !ROOM_IS_EMPTY(hooks)))
		return NULL;
	before = hub->hooks;
	watchdog_set_hooks(hub, hooks);
	recorder_update(hub);
	return before;
}

/* The thread's hub. Its arena is made anew for this stack size, unless raw coroutines live in
 * it. */
static struct hub *
hub_sized(size_t stack_size)
{
	struct hub *hub = hub_this;

	if (hub == NULL)
		return hub_make(stack_size);
	if (hub->arena.used == 0) {
		stack_arena_fini(&hub->arena);
		stack_arena_init(&hub->arena, stack_size, sizeof(struct hub_coroutine));
	}
	return hub;
}

/* ---- in a child process ---- */

/* The hub's memory stays, because the child may run on one of its stacks. Its loop is destroyed,
 * which closes this process's copies of the descriptors and makes no other system call. */
static void
hub_abandon(void)
{
	struct hub *hub = hub_this;

	spin_forget();
	if (hub != NULL && hub->loop != NULL) {
		struct ev_loop *loop = hub->loop;

		hub->loop = NULL;
		hub->is_abandoned = true;
		identity_stop(hub);
		signs_abandon(hub);
		exceptions_keep(hub);
		own_forget(hub);
		hub_forget();
		recorder_forget(hub);
		ev_loop_destroy(loop);
	}
}

/* Registered after all constructors, so that it runs last: the resets of other modules still use
 * the loop. */
static void
prepare_forks(void)
{
	fork_on_child(hub_abandon);
	fork_prepare();
}

/* ---- a turn ---- */

static void
visit_kill(struct stack *stack, void *context)
{
	struct hub_coroutine *coroutine = (struct hub_coroutine *)(void *)stack;

	(void)context;
	if (coroutine->state == COROUTINE_DONE)
		return;
	/* A raw coroutine that does not block may be continued after this hub. */
	if (coroutine->is_raw && coroutine->state == COROUTINE_SWITCHED)
		return;
	coroutine_kill(coroutine);
}

/* Deadlock: the first coroutine gets EDEADLK. If it is suspended in hub_switch, all waiting
 * coroutines do, since one of them must be running on its behalf. */
static void
visit_deadlocked(struct stack *stack, void *context)
{
	struct hub_coroutine *coroutine = (struct hub_coroutine *)(void *)stack;

	(void)context;
	if (coroutine->has_run)
		hub_wake(coroutine, coroutine->epoch, EDEADLK);
}

static void
hub_resolve_deadlock(struct hub *hub)
{
	static const char line[] = "hubbub: deadlock: nothing can wake the first coroutine; "
				   "it gets EDEADLK";

	/* While the hub ends, coroutines that still wait under a shield get EDEADLK. Those that are
	 * left after that are suspended in hub_switch, or ignore the error, for ever. */
	if (hub->is_ending) {
		if (hub->last_words++ < LAST_WORDS_MAX)
			stack_arena_each(&hub->arena, visit_deadlocked, NULL);
		if (hub->ready_first == NULL)
			hub->scheduled = 0;
		return;
	}
	chance_of_deadlock(hub);
	if (log_fault(line))
		hub_dump(STDERR_FILENO);
	if (hub->main->state == COROUTINE_WAITING)
		hub_wake(hub->main, hub->main->epoch, EDEADLK);
	else
		stack_arena_each(&hub->arena, visit_deadlocked, NULL);
	CHECK_WHY(hub->ready_first != NULL,
		"deadlock: every coroutine is suspended in hub_switch and none can go on");
}

static inline void
counter_store(int64_t *counter, int64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

/* Runs coroutines until the loop is due. In between it runs the calls of hub_call_on_root. */
static void
run_coroutines(struct hub *hub)
{
	struct hub_coroutine *next = hub_queue_take(hub);

	hub_transfer(hub, next, NULL, false);
	while (hub->root_call != NULL) {
		struct root_call *call = hub->root_call;

		hub->root_call = NULL;
		call->result = call->function(call->argument);
		hub_transfer(hub, call->coroutine, NULL, false);
	}
}

static inline void
count_busy(struct hub *hub, int64_t nanoseconds)
{
	counter_store((int64_t *)&hub->counters->busy, (int64_t)hub->counters->busy + nanoseconds);
}

/* Polls the loop; waits for an event if no coroutine is runnable. */
static void
poll_loop(struct hub *hub)
{
	int flags = EVRUN_ONCE;
	int64_t began = hub->slice_started;

	CHECK(!hub->is_polling && hub->root_call == NULL && !hub->is_telling);
	if ((hub->arena.is_restless || hub->trim.is_wanted) && !ev_is_active(&hub->trim.timer))
		trim_start(hub);
	if (hub->ready_first != NULL || hub->idlers != NULL)
		flags = EVRUN_NOWAIT;
	else
		counter_store(&hub->counters->busy_since, 0);
	if (flags == EVRUN_ONCE)
		count_busy(hub, clock_now() - began);
	if (hub_is_traced(hub))
		recorder_put_at(
			hub, FLIGHT_POLL, flags == EVRUN_ONCE, record_runnable(hub), clock_now());
	hub->is_polling = true;
	if (flags == EVRUN_ONCE)
		spin_wait(hub);
	else
		ev_run(hub->loop, flags);
	CHECK(hub->current == &hub->root && hub->is_polling);
	hub->is_polling = false;
	if (hub->ready_first == NULL)
		waiters_wake_all(&hub->idlers, 0);
	hub_slice_start(hub);
	if (hub_is_traced(hub))
		recorder_put_at(hub, FLIGHT_POLLED, 0, record_runnable(hub), hub->now);
	if (flags != EVRUN_ONCE)
		count_busy(hub, hub->now - began);
	counter_store(&hub->counters->busy_since, hub->now);
	counter_store((int64_t *)&hub->counters->polls, (int64_t)hub->counters->polls + 1);
}

/* One turn: run runnable coroutines, then poll. */
static void
hub_turn(struct hub *hub)
{
	DCHECK(hub_queue_is_consistent(hub));
	if (hub->ready_first != NULL) {
		hub->batch = hub->appended;
		run_coroutines(hub);
		if (hub->main->state == COROUTINE_DONE && !hub->is_ending) {
			hub->is_ending = true;
			stack_arena_each(&hub->arena, visit_kill, NULL);
		}
	}
	if (hub->scheduled == 0)
		return;
	if (hub->ready_first == NULL && hub->loop_waits == 0 && !hub->is_reachable)
		hub_resolve_deadlock(hub);
	else
		poll_loop(hub);
}

/* ---- from start to end ---- */

/* Gives the hub a loop, and starts all that belongs to it. Returns 0, or -1 and errno, with nothing
 * started. */
static int
hub_start(struct hub *hub, const struct hub_options *options)
{
	static const unsigned backends[HUB_BACKEND_MAX] = {
		[HUB_BACKEND_EPOLL] = EVBACKEND_EPOLL,
		[HUB_BACKEND_POLL] = EVBACKEND_POLL,
	};
	int probe;

	CHECK(hub->scheduled == 0 && hub->ready_first == NULL && hub->main == NULL);
	hub->owns = 0;
	own_begin();
	hub->loop = ev_loop_new(EVFLAG_NOENV | EVFLAG_NOSIGMASK | backends[options->backend]);
	own_end();
	/* libev gives no reason; the usual one is the limit of open files. */
	if (hub->loop == NULL)
		return failed(EMFILE);
	/* The mailbox makes libev open an eventfd, and libev aborts if it cannot: try it first. */
	probe = kernel_eventfd(0, EFD_CLOEXEC);
	if (probe == -1) {
		own_forget(hub);
		ev_loop_destroy(hub->loop);
		hub->loop = NULL;
		return failed(EMFILE);
	}
	kernel_close(probe);
	libev_start();
	fd_table_start(hub);
	sweep_start(hub);
	hub->own_counters = (struct hub_counters){0};
	hub->counters = options->counters != NULL ? options->counters : &hub->own_counters;
	own_begin();
	mailbox_start(&hub->mailbox, hub->loop);
	own_end();
	pthread_once(&fork_once, prepare_forks);
	if (fork_is_wiped())
		fork_adopt();
	fork_hub_started();
	hub->loop_waits = 0;
	hub->is_ending = hub->is_reachable = false;
	hub->last_words = 0;
	hub->tick_interval = hub->due_interval = 1;
	hub_slice_start(hub);
	hub->due_read = hub->now;
	hub_count_due_calls(1);
	counter_store(&hub->counters->busy_since, hub->now);
	trim_prepare(hub);
	spin_start(hub, options->spin);
	hub->idlers = NULL;
	hub_set_running(hub);
	watchdog_watch(hub);
	return 0;
}

/* Stops all that hub_start has started, and destroys the loop last. */
static void
hub_stop(struct hub *hub)
{
	struct ev_loop *loop;

	CHECK(hub->current == &hub->root && hub->ready_first == NULL && hub->scheduled == 0);
	hub_set_running(NULL);
	recorder_forget(hub);
	watchdog_unwatch(hub);
	signals_stop(hub);
	spin_stop(hub);
	trim_stop(hub);
	fork_hub_stopped();
	fd_forget_all(hub, ECANCELED);
	sweep_stop(hub);
	signs_stop(hub);
	identity_stop(hub);
	fd_table_stop(hub);
	buffers_stop(hub);
	mailbox_stop(&hub->mailbox);
	counter_store(&hub->counters->busy_since, 0);
	/* libev calls close(2), for which hub/patch may have a hook that acts on a running hub: so
	 * the hub has no loop any more by then. */
	loop = hub->loop;
	hub->loop = NULL;
	own_forget(hub);
	/* ev_loop_destroy frees the memory of a loop only if it is not the default one. */
	ev_loop_destroy(loop);
}

/* hub_run; caller is the address in the code that called it, for dumps. */
static int
run(const struct hub_options *options, hub_fn *body, void *argument, void **result,
	const void *caller)
{
	static const char *const backends[] = {"epoll", "poll", NULL};
	struct hub_options defaults = {0};
	size_t stack_size;
	struct hub *hub;
	int code;

	if (options == NULL) {
		defaults.backend = (enum hub_backend)setting_choice(
			"HUBBUB_BACKEND", backends, HUB_BACKEND_EPOLL);
		defaults.spin =
			setting_number("HUBBUB_SPIN", 0, HUB_SPIN_MOST / HUB_MICROSECOND, 0) *
			HUB_MICROSECOND;
		options = &defaults;
	}
	stack_size = options->stack_size;
	if (stack_size == 0)
		stack_size = (size_t)setting_size(
			"HUBBUB_STACK_SIZE", STACK_SIZE_MIN, STACK_SIZE_MAX, STACK_SIZE_DEFAULT);
	if (stack_size < STACK_SIZE_MIN || stack_size > STACK_SIZE_MAX ||
		(unsigned)options->backend >= HUB_BACKEND_MAX || options->spin < 0 ||
		options->spin > HUB_SPIN_MOST || !ROOM_IS_EMPTY(options))
		return failed(EINVAL);
	hub = hub_this;
	if (hub != NULL && (hub->loop != NULL || hub->current != &hub->root || hub->is_telling))
		return failed(EBUSY);
	hub = hub_sized(stack_size);
	if (hub == NULL)
		return -1;
	hub->watched.stack_end = __builtin_frame_address(0);
	if (hub_start(hub, options) != 0)
		return -1;
	hub->main = coroutine_spawn(body, argument, caller);
	if (hub->main == NULL) {
		hub_stop(hub);
		return failed(ENOMEM);
	}
	hub_set_name(hub->main, "main");
	while (hub->scheduled > 0)
		hub_turn(hub);
	if (result != NULL)
		*result = hub->main->result;
	code = hub->main->failure != NULL ? hub->main->failure->code : 0;
	leaving_run(hub);
	hub->main = NULL;
	hub_stop(hub);
	return failed(code);
}

int
hub_run_with(const struct hub_options *options, hub_fn *body, void *argument, void **result)
{
	return run(options, body, argument, result, __builtin_return_address(0));
}

int
hub_run(hub_fn *body, void *argument, void **result)
{
	return run(NULL, body, argument, result, __builtin_return_address(0));
}

int
hub_idle(void)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "idle", .deadline = HUB_FOREVER, .is_loop_wait = true};
	struct hub_waiter waiter;

	if (self == NULL)
		return hub_fail_in_turn();
	return waiter_wait(&self->hub->idlers, &waiter, self, &wait);
}
