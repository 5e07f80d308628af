/* The scheduler: one run queue, one loop, one way to wait.
 *
 * The thread's own stack (root) runs the libev loop; its callbacks only append to the run queue.
 * A coroutine that waits switches straight to the next runnable one, and to root when none is left
 * or the slice is used up. Deadlines: each coroutine has one ev_timer, armed at its first wait with
 * a deadline and then left alone; when it fires early it is armed again. So a deadline that does
 * not expire costs no libev call per wait. */
#include "hub/scheduler_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "hub/base/clock.h"
#include "hub/base/kernel.h"
#include "hub/base/settings.h"
#include "hub/debug/dump.h"
#include "hub/debug/overflow_priv.h"
#include "hub/failure_priv.h"
#include "hub/fork_priv.h"
#include "hub/io/fd_priv.h"
#include "hub/signal_priv.h"
#include "hub/waiters_priv.h"

/* How long coroutines run before the loop is polled, which costs about half a microsecond. */
#define SLICE CLOCK_MILLISECOND
#define SLICE_MAX (16 * SLICE)

/* How often those who wait when nothing can happen any more are told so at the end of the hub. */
#define LAST_WORDS_MAX 8

/* The clock costs about as much as five switches, so it is read every so many of them, and of the calls
 * of hub_yield_due: often where they are slow, rarely where they are fast. What was fast may be slow from
 * the next one on, which counting cannot know: only UNWATCHED_MOST are counted on, unless the watchdog's
 * thread is about to make the hub look. */
#define UNWATCHED_MOST 4U
#define TICKS_MOST 64U
#define DUE_MOST (1U << 16)

_Thread_local struct hub *hub_this __attribute__((tls_model("initial-exec")));
_Thread_local unsigned hub_due_calls __attribute__((tls_model("initial-exec")));
_Thread_local bool hub_runs_here;

static pthread_key_t hub_key;
static pthread_once_t hub_key_once = PTHREAD_ONCE_INIT;

void
hub_trace(struct hub *hub, struct hub_coroutine *to)
{
	if (hub->hooks->switched != NULL)
		hub->hooks->switched(hub->current, to, to->thrown != 0, hub->hooks->context);
}

/* ---- the run queue ---- */

/* Marks what has expired of the coroutine's scopes, and of those of whoever it runs for. */
static void
expire_drivers_too(struct hub_coroutine *coroutine, int64_t now)
{
	while (coroutine != NULL) {
		if (coroutine->scope != NULL)
			coroutine_expire_scopes(coroutine, now);
		coroutine = coroutine->shields == 0 ? coroutine_driver(coroutine) : NULL;
	}
}

/* How many calls until the clock, which is now, is read again, after so many calls took that long. Slow ones
 * have it read at the next; fast ones ever more rarely, until it is about a sixteenth of a slice. */
static unsigned
next_interval(const struct hub *hub, int64_t now, unsigned calls, int64_t took, unsigned most)
{
	if (took > SLICE / 4)
		return 1;
	if (now >= __atomic_load_n(&hub->watched.attended_until, __ATOMIC_RELAXED))
		most = UNWATCHED_MOST;
	if (took < SLICE / 16)
		calls *= 2;
	return calls < most ? calls : most;
}

bool
hub_slice_expired(struct hub *hub)
{
	int64_t now = clock_now(), used = now - hub->slice_started;

	hub->tick_interval =
		next_interval(hub, now, hub->tick_interval, now - hub->now, TICKS_MOST);
	hub_count_ticks(hub, hub->tick_interval);
	hub->now = now;
	/* One that never waits must still learn that its time is up. */
	expire_drivers_too(hub->current, now);
	return used >= SLICE && (hub->taken >= hub->batch || used >= SLICE_MAX);
}

void
hub_pause(struct hub *hub)
{
	hub_queue_append(hub, hub->current);
	hub_transfer(hub, &hub->root, NULL, false);
}

/* To the end of the queue, if anybody is in it. */
static inline void
reschedule(struct hub *hub)
{
	if (hub->ready_first != NULL) {
		hub_queue_append(hub, hub->current);
		hub_transfer(hub, hub_tick(hub) ? &hub->root : hub_queue_take(hub), NULL, false);
	} else if (hub_tick(hub)) {
		hub_pause(hub);
	}
}

void
hub_leave(struct hub *hub)
{
	hub_transfer(hub, hub_next_to_run(hub), NULL, true);
	__builtin_unreachable();
}

/* ---- deadlines ---- */

void
coroutine_update_interrupt(struct hub_coroutine *coroutine)
{
	struct hub_timeout *scope = coroutine->scope;

	coroutine->interrupt = 0;
	for (; scope != NULL && !scope->is_shield; scope = scope->outer)
		if (scope->reason != 0)
			coroutine->interrupt = scope->reason;
	if (coroutine->is_killed && scope == NULL)
		coroutine->interrupt = ECANCELED;
}

void
coroutine_expire_scopes(struct hub_coroutine *coroutine, int64_t now)
{
	bool has_expired = false;

	if (coroutine->scope->earliest > now)
		return;
	for (struct hub_timeout *scope = coroutine->scope; scope != NULL && !scope->is_shield;
		scope = scope->outer) {
		if (scope->reason != 0 || scope->deadline > now)
			continue;
		scope->reason = ETIMEDOUT;
		has_expired = true;
	}
	if (has_expired)
		coroutine_update_interrupt(coroutine);
}

void
hub_timer_fired(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct hub_coroutine *coroutine = CONTAINER_OF(timer, struct hub_coroutine, timer);
	int64_t now = clock_now();

	(void)loop, (void)events;
	expire_drivers_too(coroutine, now);
	if (coroutine->state != COROUTINE_WAITING || coroutine->deadline == HUB_FOREVER)
		return;
	if (coroutine->deadline <= now)
		hub_wake(coroutine, coroutine->epoch, ETIMEDOUT);
	else
		hub_timer_arm(coroutine->hub, coroutine);
}

/* The clock is read before libev's, and a microsecond added for what is lost in its doubles, so that
 * the last firing is never early. */
void
hub_timer_arm(struct hub *hub, struct hub_coroutine *coroutine)
{
	int64_t left = coroutine->deadline - clock_now();

	coroutine->timer_at = coroutine->deadline;
	ev_timer_stop(hub->loop, &coroutine->timer);
	ev_now_update(hub->loop);
	ev_timer_set(&coroutine->timer,
		left > 0 ? (double)(left + CLOCK_MICROSECOND) / (double)CLOCK_SECOND : 0., 0.);
	ev_timer_start(hub->loop, &coroutine->timer);
}

/* ---- wait and wake ---- */

bool
hub_wake(struct hub_coroutine *coroutine, uint32_t epoch, int reason)
{
	if (coroutine->state != COROUTINE_WAITING || coroutine->epoch != epoch)
		return false;
	coroutine->epoch++;
	coroutine->reason = reason;
	coroutine->hub->pending -= coroutine->is_pending;
	hub_queue_append(coroutine->hub, coroutine);
	return true;
}

void
hub_wait_to_start(struct hub_coroutine *coroutine, int64_t nanoseconds)
{
	coroutine->deadline = clock_after(clock_now(), nanoseconds);
	if (coroutine->deadline != HUB_FOREVER)
		hub_timer_arm(coroutine->hub, coroutine);
	coroutine->is_pending = coroutine->deadline != HUB_FOREVER;
	coroutine->hub->pending += coroutine->is_pending;
	coroutine->waits_for = "its start";
	coroutine->waits_on = NULL;
	coroutine->waits_since = coroutine->hub->now;
	coroutine->state = COROUTINE_WAITING;
}

static __attribute__((noinline)) int
sleep_for(struct hub_coroutine *self, int64_t nanoseconds)
{
	struct wait wait = {"sleep", NULL, HUB_FOREVER, false, false};
	int reason;

	if (nanoseconds != HUB_FOREVER)
		wait.deadline = clock_after(clock_now(), nanoseconds);
	reason = hub_suspend(&wait);
	/* The sleep's own end, and not that of a scope, its own or its driver's. */
	if (reason == ETIMEDOUT && self->interrupt == 0 && clock_now() >= wait.deadline)
		reason = 0;
	return reason;
}

int
hub_sleep(int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	int reason;

	if (__builtin_expect(self == NULL, 0))
		return -1;
	if (nanoseconds <= 0) {
		reschedule(self->hub);
		reason = coroutine_interrupted(self);
	} else {
		reason = sleep_for(self, nanoseconds);
	}
	if (reason == 0)
		return 0;
	errno = reason;
	return -1;
}

int
hub_idle(void)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {"idle", NULL, HUB_FOREVER, true, false};
	struct hub_waiter waiter;

	if (self == NULL)
		return -1;
	return waiter_wait(&self->hub->idlers, &waiter, self, &wait);
}

static inline void
count_due_calls(unsigned calls)
{
	__atomic_store_n(&hub_due_calls, calls, __ATOMIC_RELAXED);
}

int
hub_yield_check(void)
{
	struct hub_coroutine *self = hub_enter();
	struct hub *hub;
	int64_t now;

	count_due_calls(1);
	if (self == NULL)
		return -1;
	hub = self->hub;
	now = clock_now();
	hub->due_interval =
		next_interval(hub, now, hub->due_interval, now - hub->due_read, DUE_MOST);
	hub->due_read = hub->now = now;
	count_due_calls(hub->due_interval);
	expire_drivers_too(self, now);
	if (now - hub->slice_started >= SLICE) {
		hub_pause(hub);
		hub->due_read = hub->now;
	}
	return hub_enter() != NULL ? 0 : -1;
}

bool
hub_can_wait(void)
{
	const struct hub *hub = hub_this;

	return hub != NULL && hub->loop != NULL && hub->current != &hub->root &&
	       !kernel_is_calling();
}

int64_t
hub_now(void)
{
	return clock_now();
}

/* ---- the hub ---- */

static void
hub_free_thread(void *pointer)
{
	struct hub *hub = pointer;

	if (hub_this == hub)
		hub_this = NULL;
	overflow_thread_stop();
	stack_arena_fini(&hub->arena);
	free(hub);
}

static void
hub_key_make(void)
{
	CHECK(pthread_key_create(&hub_key, hub_free_thread) == 0);
}

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
	pthread_once(&hub_key_once, hub_key_make);
	pthread_setspecific(hub_key, hub);
	hub_this = hub;
	return hub;
}

void
hub_forget(void)
{
	hub_runs_here = false;
	pthread_setspecific(hub_key, NULL);
	hub_this = NULL;
}

struct hub *
hub_of_thread(void)
{
	return hub_this != NULL ? hub_this : hub_make(STACK_SIZE_DEFAULT);
}

static void
visit_kill(struct stack *stack, void *context)
{
	struct hub_coroutine *coroutine = (struct hub_coroutine *)(void *)stack;

	(void)context;
	if (coroutine->state == COROUTINE_DONE)
		return;
	/* A raw coroutine that does not block may go on after this hub. */
	if (coroutine->is_raw && coroutine->state == COROUTINE_SWITCHED)
		return;
	coroutine_kill(coroutine);
}

/* Scheduled coroutines that nobody joined go; raw ones are their creator's to free, but one that
 * waits in a blocking call can never be woken again. */
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
	if (coroutine->state != COROUTINE_SWITCHED)
		coroutine->state = COROUTINE_DONE;
	/* The kill was this hub's. */
	coroutine->is_killed = false;
	coroutine_update_interrupt(coroutine);
}

/* Nothing can happen any more: tell the first coroutine, or, if that is suspended in hub_switch,
 * all that wait, since one of them must be who it switched to. */
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
				   "it gets EDEADLK\n";

	/* The hub ends: who still waits, shielded, is told; who is left then is suspended in hub_switch, or
	 * does not listen, for good. */
	if (hub->is_ending) {
		if (hub->last_words++ < LAST_WORDS_MAX)
			stack_arena_each(&hub->arena, visit_deadlocked, NULL);
		if (hub->ready_first == NULL)
			hub->scheduled = 0;
		return;
	}
	if (kernel_write(STDERR_FILENO, line, sizeof line - 1) > 0)
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

/* Runs what is runnable, until the loop is due; in between, errands, which are no coroutine's. */
static void
run_coroutines(struct hub *hub)
{
	struct hub_coroutine *next = hub_queue_take(hub);

	hub_transfer(hub, next, NULL, false);
	while (hub->errand != NULL) {
		struct errand *errand = hub->errand;

		hub->errand = NULL;
		errand->result = errand->function(errand->argument);
		hub_transfer(hub, errand->coroutine, NULL, false);
	}
}

static inline void
count_busy(struct hub *hub, int64_t nanoseconds)
{
	counter_store((int64_t *)&hub->counters->busy, (int64_t)hub->counters->busy + nanoseconds);
}

/* Polls; waits if nothing is runnable. */
static void
poll_loop(struct hub *hub)
{
	int flags = EVRUN_ONCE;
	int64_t began = hub->slice_started;

	if ((hub->arena.is_restless || hub->trim.is_wanted) && !ev_is_active(&hub->trim.timer))
		trim_start(hub);
	if (hub->ready_first != NULL || hub->idlers != NULL)
		flags = EVRUN_NOWAIT;
	else
		counter_store(&hub->counters->busy_since, 0);
	if (flags == EVRUN_ONCE)
		count_busy(hub, clock_now() - began);
	hub->is_polling = true;
	ev_run(hub->loop, flags);
	hub->is_polling = false;
	if (hub->ready_first == NULL)
		waiters_wake_all(&hub->idlers, 0);
	/* Whoever runs now need not be as fast as who ran before. */
	if (hub->tick_interval > UNWATCHED_MOST)
		hub->tick_interval = UNWATCHED_MOST;
	hub_count_ticks(hub, hub->tick_interval);
	hub->now = hub->slice_started = clock_now();
	if (flags != EVRUN_ONCE)
		count_busy(hub, hub->now - began);
	counter_store(&hub->counters->busy_since, hub->now);
	counter_store((int64_t *)&hub->counters->polls, (int64_t)hub->counters->polls + 1);
}

/* One turn: run what is runnable, then poll. */
static void
hub_turn(struct hub *hub)
{
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
	if (hub->ready_first == NULL && hub->pending == 0 && !hub->is_reachable)
		hub_resolve_deadlock(hub);
	else
		poll_loop(hub);
}

static int
hub_start(struct hub *hub, const struct hub_options *options)
{
	static const unsigned backends[HUB_BACKEND_MAX] = {
		[HUB_BACKEND_EPOLL] = EVBACKEND_EPOLL,
		[HUB_BACKEND_POLL] = EVBACKEND_POLL,
	};

	int probe;

	hub->loop = ev_loop_new(EVFLAG_NOENV | EVFLAG_NOSIGMASK | backends[options->backend]);
	/* libev tells no reason; running out of descriptors is the one that is met. */
	if (hub->loop == NULL) {
		errno = EMFILE;
		return -1;
	}
	/* The mailbox makes libev open an eventfd, and abort if it cannot. */
	probe = eventfd(0, EFD_CLOEXEC);
	if (probe == -1) {
		ev_loop_destroy(hub->loop);
		hub->loop = NULL;
		errno = EMFILE;
		return -1;
	}
	kernel_close(probe);
	fd_table_start(hub);
	hub->own_counters = (struct hub_counters){0};
	hub->counters = options->counters != NULL ? options->counters : &hub->own_counters;
	mailbox_start(&hub->mailbox, hub->loop);
	fork_prepare();
	fork_hub_started();
	hub->pending = 0;
	hub->is_ending = hub->is_reachable = false;
	hub->last_words = 0;
	hub->now = hub->slice_started = hub->due_read = clock_now();
	hub->tick_interval = hub->due_interval = 1;
	hub_count_ticks(hub, 1);
	count_due_calls(1);
	counter_store(&hub->counters->busy_since, hub->now);
	trim_prepare(hub);
	hub->idlers = NULL;
	hub_runs_here = true;
	watchdog_watch(hub);
	return 0;
}

static void
hub_stop(struct hub *hub)
{
	struct ev_loop *loop;
	hub_runs_here = false;
	watchdog_unwatch(hub);
	signals_stop(hub);
	trim_stop(hub);
	fork_hub_stopped();
	fd_table_stop(hub);
	mailbox_stop(&hub->mailbox);
	counter_store(&hub->counters->busy_since, 0);
	/* libev closes its descriptors by close(2), which hub/patch may have close for a running hub. */
	loop = hub->loop;
	hub->loop = NULL;
	/* libev keeps for ever what its destroy leaves; ev_loop_destroy frees a loop that is not
	 * the default one. */
	ev_loop_destroy(loop);
}

/* The thread's hub, with an arena of that stack size unless raw coroutines live in the old one. */
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

int
hub_run_with(const struct hub_options *options, hub_fn *body, void *argument, void **result)
{
	static const char *const backends[] = {"epoll", "poll", NULL};
	struct hub_options defaults = {0};
	size_t stack_size;
	struct hub *hub;

	if (options == NULL) {
		defaults.backend = (enum hub_backend)setting_choice(
			"HUBBUB_BACKEND", backends, HUB_BACKEND_EPOLL);
		options = &defaults;
	}
	stack_size = options->stack_size;
	if (stack_size == 0)
		stack_size = (size_t)setting_number(
			"HUBBUB_STACK_SIZE", STACK_SIZE_MIN, STACK_SIZE_MAX, STACK_SIZE_DEFAULT);
	if (stack_size < STACK_SIZE_MIN || stack_size > STACK_SIZE_MAX ||
		(unsigned)options->backend >= HUB_BACKEND_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (hub_this != NULL && (hub_this->loop != NULL || hub_this->current != &hub_this->root)) {
		errno = EBUSY;
		return -1;
	}
	hub = hub_sized(stack_size);
	if (hub == NULL || hub_start(hub, options) != 0)
		return -1;
	hub->main = hub_spawn(body, argument);
	if (hub->main == NULL) {
		hub_stop(hub);
		errno = ENOMEM;
		return -1;
	}
	hub_set_name(hub->main, "main");
	hub->main->spawned_at = (const void *)body;
	while (hub->scheduled > 0)
		hub_turn(hub);
	if (result != NULL)
		*result = hub->main->result;
	hub->ready_first = NULL;
	stack_arena_each(&hub->arena, visit_end, hub);
	hub->main = NULL;
	hub_stop(hub);
	return 0;
}

int
hub_run(hub_fn *body, void *argument, void **result)
{
	return hub_run_with(NULL, body, argument, result);
}
