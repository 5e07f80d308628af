/* The scheduler: one run queue, one way to wait and one way to wake; and which hub and coroutine
 * run in this thread.
 *
 * The thread's own stack (root) runs the libev loop (run.c), whose callbacks only append to the run
 * queue. A coroutine that waits switches straight to the next runnable one, and to root when the
 * queue is empty or the slice is used up. Deadlines: each coroutine has one ev_timer, armed at its
 * first wait with a deadline and left alone afterwards; when it fires early it is armed again. So a
 * deadline that does not expire costs no libev call per wait. */
#include "hub/scheduler_priv.h"

#include <pthread.h>

#include "hub/base/clock.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/debug/hooks.h"

/* How long coroutines run before the loop is polled, which costs about half a microsecond. */
#define SLICE CLOCK_MILLISECOND
#define SLICE_MAX (16 * SLICE)

/* A look at the clock costs about as much as five switches, so it is read once in several switches,
 * and once in several calls of hub_yield_due: often where these are slow, rarely where they are
 * fast. A coroutine that was fast may become slow, which counting cannot foresee: so at most
 * HUB_TICKS_UNWATCHED switches pass between two looks, unless the watchdog's thread is about to
 * make the hub look. */
#define TICKS_MOST 64U
#define DUE_MOST (1U << 16)

/* A deadline that is noticed so much later is recorded as late. */
#define LATE CLOCK_MILLISECOND

_Thread_local struct hub *hub_this __attribute__((tls_model("initial-exec")));
_Thread_local unsigned hub_due_calls __attribute__((tls_model("initial-exec")));
_Thread_local bool hub_runs_here;
_Thread_local struct hub *hub_running __attribute__((tls_model("initial-exec")));

static pthread_key_t hub_key;
static pthread_once_t hub_key_once = PTHREAD_ONCE_INIT;

void
hub_trace(struct hub *hub, struct hub_coroutine *to)
{
	const struct hub_hooks *hooks = hub->hooks;

	if (hub->recorder != NULL)
		recorder_put_switch(hub, to);
	if (hooks != NULL && hooks->switched != NULL)
		hooks->switched(hub->current, to, to->thrown != 0, hooks->context);
}

/* ---- the run queue ---- */

/* How many calls pass before the next look at the clock, given that the last `calls` took `took`
 * nanoseconds. After slow calls the next one looks; after fast ones the interval doubles, until it
 * is about a sixteenth of a slice. now is the present time. */
static unsigned
next_interval(const struct hub *hub, int64_t now, unsigned calls, int64_t took, unsigned most)
{
	if (took > SLICE / 4)
		return 1;
	if (now >= __atomic_load_n(&hub->watched.attended_until, __ATOMIC_RELAXED))
		most = HUB_TICKS_UNWATCHED;
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
	/* A coroutine that never waits must still learn that its deadline has passed. */
	coroutine_expire_drivers_too(hub->current, now);
	return used >= SLICE && (hub->taken >= hub->batch || used >= SLICE_MAX);
}

void
hub_pause(struct hub *hub)
{
	hub_queue_append(hub, hub->current);
	hub_transfer(hub, &hub->root, NULL, false);
}

/* Moves the running coroutine to the end of the run queue. If the queue is empty, that counts like
 * any other switch: a coroutine that yields alone is not stuck. */
static inline void
reschedule(struct hub *hub)
{
	if (hub->ready_first != NULL) {
		hub_queue_append(hub, hub->current);
		hub_transfer(hub, hub_tick(hub) ? &hub->root : hub_queue_take(hub), NULL, false);
	} else if (hub_tick(hub)) {
		hub_pause(hub);
	} else {
		hub->appended++;
		__atomic_store_n(&hub->taken, hub->taken + 1, __ATOMIC_RELAXED);
	}
}

void
hub_leave(struct hub *hub)
{
	DCHECK(hub->current->state == COROUTINE_DONE);
	hub_transfer(hub, hub_next_to_run(hub), NULL, true);
	__builtin_unreachable();
}

/* ---- deadlines ---- */

void
hub_timer_fired(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct hub_coroutine *coroutine = CONTAINER_OF(timer, struct hub_coroutine, timer);
	int64_t now = clock_now();

	(void)events;
	/* The end of a coroutine stops its timer. */
	CHECK(coroutine->id != 0 && coroutine->hub->loop == loop);
	DCHECK(coroutine->hub->is_polling && coroutine->hub == hub_running);
	coroutine_expire_drivers_too(coroutine, now);
	if (coroutine->state != COROUTINE_WAITING || coroutine->deadline == HUB_FOREVER)
		return;
	if (coroutine->deadline <= now) {
		if (hub_is_traced(coroutine->hub) && now - coroutine->deadline >= LATE)
			recorder_put_of(coroutine->hub, FLIGHT_LATE, coroutine, 0,
				(uint64_t)(now - coroutine->deadline));
		hub_wake(coroutine, coroutine->epoch, ETIMEDOUT);
	} else {
		hub_timer_arm(coroutine->hub, coroutine);
	}
}

/* The clock is read before libev's, and a microsecond is added for the rounding of libev's doubles,
 * so the last firing is never early. */
void
hub_timer_arm(struct hub *hub, struct hub_coroutine *coroutine)
{
	int64_t left = coroutine->deadline - clock_now();

	DCHECK(coroutine->deadline != HUB_FOREVER && coroutine->hub == hub &&
		hub_is_own(coroutine));
	coroutine->timer_at = coroutine->deadline;
	ev_timer_stop(hub->loop, &coroutine->timer);
	ev_now_update(hub->loop);
	ev_timer_set(
		&coroutine->timer, left > 0 ? clock_seconds(left + CLOCK_MICROSECOND) : 0., 0.);
	ev_timer_start(hub->loop, &coroutine->timer);
}

/* ---- wait and wake ---- */

bool
hub_wake(struct hub_coroutine *coroutine, uint32_t epoch, int reason)
{
	if (coroutine->state != COROUTINE_WAITING || coroutine->epoch != epoch)
		return false;
	CHECK_WHY(hub_is_own(coroutine),
		"an object that a coroutine waits for is used on a thread that is not its own");
	DCHECK(coroutine->hub->loop_waits >= coroutine->is_loop_wait);
	coroutine->epoch++;
	coroutine->reason = reason;
	coroutine->hub->loop_waits -= coroutine->is_loop_wait;
	hub_queue_append(coroutine->hub, coroutine);
	if (hub_is_traced(coroutine->hub))
		return recorder_put_wake(coroutine, reason);
	return true;
}

void
hub_wait_to_start(struct hub_coroutine *coroutine, int64_t nanoseconds)
{
	DCHECK(!coroutine->has_run && coroutine->state == COROUTINE_SWITCHED);
	coroutine->deadline = clock_after(clock_now(), nanoseconds);
	if (coroutine->deadline != HUB_FOREVER)
		hub_timer_arm(coroutine->hub, coroutine);
	coroutine->is_loop_wait = coroutine->deadline != HUB_FOREVER;
	coroutine->hub->loop_waits += coroutine->is_loop_wait;
	coroutine->waits_for = "its start";
	coroutine->waits_on = NULL;
	coroutine->waits_since = coroutine->hub->now;
	coroutine->state = COROUTINE_WAITING;
}

/* A sleep of more than 0 nanoseconds. Returns 0 or an errno. */
static __attribute__((noinline)) int
sleep_for(struct hub_coroutine *self, int64_t nanoseconds)
{
	struct wait wait = {.what = "sleep", .deadline = HUB_FOREVER};
	int reason;

	if (nanoseconds != HUB_FOREVER)
		wait.deadline = clock_after(clock_now(), nanoseconds);
	reason = hub_suspend(&wait);
	if (reason != ETIMEDOUT)
		return reason;
	/* The sleeper or its driver was killed after the timer: it returns the kill. */
	if (coroutine_interrupted(self) != 0)
		return coroutine_interrupted(self);
	/* True at the sleep's own end, false at the end of a scope of the sleeper or of its
	 * driver. */
	return clock_now() >= wait.deadline ? 0 : reason;
}

int
hub_fail_in_turn(void)
{
	int error = errno;

	if (error != EPERM && !hub_is_vforked() && hub_tick(hub_this))
		hub_pause(hub_this);
	return failed(error);
}

int
hub_sleep(int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	int reason;

	if (__builtin_expect(self == NULL, 0))
		return hub_fail_in_turn();
	if (nanoseconds <= 0) {
		reschedule(self->hub);
		/* Others may have been the ones that ran at each look at the clock. */
		coroutine_expire_drivers_too(self, self->hub->now);
		reason = coroutine_interrupted(self);
	} else {
		reason = sleep_for(self, nanoseconds);
	}
	return failed(reason);
}

int
hub_yield_check(void)
{
	struct hub_coroutine *self = hub_enter();
	struct hub *hub;
	int64_t now;

	hub_count_due_calls(1);
	if (self == NULL)
		return hub_fail_in_turn();
	hub = self->hub;
	now = clock_now();
	hub->due_interval =
		next_interval(hub, now, hub->due_interval, now - hub->due_read, DUE_MOST);
	hub->due_read = hub->now = now;
	hub_count_due_calls(hub->due_interval);
	coroutine_expire_drivers_too(self, now);
	/* The system call is made only here, at the end of a slice: a computation may go on in a
	 * child of vfork, which must not switch. */
	if (now - hub->slice_started >= SLICE && !hub_is_vforked()) {
		hub_pause(hub);
		hub->due_read = hub->now;
	}
	return hub_enter() != NULL ? 0 : -1;
}

void *
hub_call_on_root(hub_fn *function, void *argument)
{
	struct hub *hub = hub_this;
	struct root_call call = {function, argument, NULL, hub->current};

	/* Root is in run_coroutines, which makes the call, and no call is left there. */
	CHECK(hub->root.state == COROUTINE_RUNNING && !hub->is_polling && hub->root_call == NULL);
	hub->root_call = &call;
	hub_transfer(hub, &hub->root, NULL, false);
	CHECK(hub->current == call.coroutine && hub->root_call == NULL);
	return call.result;
}

bool
hub_can_wait(void)
{
	const struct hub *hub = hub_running;

	return hub != NULL && !fork_is_wiped() && hub->current != &hub->root && !bypass_is_on();
}

int64_t
hub_now(void)
{
	return clock_now();
}

/* ---- the hub of this thread ---- */

static void
thread_ends(void *pointer)
{
	struct hub *hub = pointer;

	hub->free(hub);
	if (hub_this == hub)
		hub_this = NULL;
}

static void
hub_key_make(void)
{
	int error = pthread_key_create(&hub_key, thread_ends);

	CHECK(error == 0);
}

void
hub_remember(struct hub *hub)
{
	/* The former hub would never be freed. */
	CHECK(hub_this == NULL);
	pthread_once(&hub_key_once, hub_key_make);
	pthread_setspecific(hub_key, hub);
	hub_this = hub;
}

void
hub_set_running(struct hub *hub)
{
	CHECK(hub == NULL || (hub == hub_this && hub_running == NULL));
	hub_runs_here = hub != NULL;
	hub_running = hub;
}

void
hub_forget(void)
{
	hub_set_running(NULL);
	pthread_setspecific(hub_key, NULL);
	hub_this = NULL;
}

struct hub_coroutine *
hub_current(void)
{
	struct hub *hub = hub_this;

	return hub != NULL && hub->current != &hub->root ? hub->current : NULL;
}
