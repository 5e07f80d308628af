/* The hub of this thread, and the one way to wait and to wake, which all modules use. */
#ifndef HUBBUB_SCHEDULER_PRIV_H
#define HUBBUB_SCHEDULER_PRIV_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/inside.h"
#include "hub/base/loop.h"
#include "hub/chance_priv.h"
#include "hub/fork_priv.h"
#include "hub/interruption_priv.h"
#include "hub/record_priv.h"
#include "hub/recorder_priv.h"
#include "hub/scheduler.h"
#include "hub/stack_priv.h"

/* This many switches pass between two looks at the clock while the watchdog's thread does not
 * attend to the hub; see scheduler.c. */
#define HUB_TICKS_UNWATCHED 4U

/* A wait that must not end early goes on after EDEADLK: the awaited coroutine may have got EDEADLK,
 * too, and end because of it. After this many in a row the wait is hopeless. */
#define HUB_DEADLOCKS_MAX 4

/* A call that a coroutine makes on the thread's own stack; it lies on the coroutine's stack. */
struct root_call {
	hub_fn *function;
	void *argument;
	void *result;
	struct hub_coroutine *coroutine;
};

extern _Thread_local struct hub *hub_this HUB_INSIDE(hub_this)
	__attribute__((tls_model("initial-exec")));

/* Whether the coroutine belongs to this thread. In a forked child the parent's coroutines belong to
 * no thread, and clean-up code may still free them, or set what they wait for. */
static inline bool
hub_is_own(const struct hub_coroutine *coroutine)
{
	return coroutine->hub == hub_this || coroutine->hub->is_abandoned;
}

/* Every call on a coroutine must be made on the coroutine's thread, before the coroutine is gone.
 * The memory of one that is gone can still be read, but may hold another coroutine. */
static inline void
hub_check_own(const struct hub_coroutine *coroutine)
{
	CHECK_WHY(coroutine->id != 0,
		"a coroutine is used that is gone: joined, freed, or detached and ended");
	CHECK_WHY(hub_is_own(coroutine), "a coroutine is used on a thread that is not its own");
}

/* hub_this while it runs, otherwise NULL; hub_runs_here is the public form. */
extern _Thread_local struct hub *hub_running HUB_INSIDE(hub_running)
	__attribute__((tls_model("initial-exec")));

/* Sets hub_running, and hub_runs_here with it; NULL when the hub stops. */
void hub_set_running(struct hub *hub);

/* Makes this the thread's hub; hub->free is called when the thread ends. */
void hub_remember(struct hub *hub);

/* For a child process: the thread forgets the parent's hub. */
void hub_forget(void);

/* Every blocking call begins with this. Returns the calling coroutine, or NULL with errno EPERM
 * (the caller is no coroutine of a running hub), ECANCELED or ETIMEDOUT (it may not block any
 * more). */
static inline struct hub_coroutine *
hub_enter(void)
{
	struct hub *hub = hub_running;
	int interrupt;

	if (__builtin_expect(hub == NULL || fork_is_wiped() || hub->current == &hub->root, 0)) {
		errno = EPERM;
		return NULL;
	}
	interrupt = coroutine_interrupted(hub->current);
	if (__builtin_expect(interrupt != 0, 0)) {
		errno = interrupt;
		return NULL;
	}
	return hub->current;
}

/* One wait, as hub_suspend takes it. */
struct wait {
	const char *what;  /* a word for dumps: "join", "recv" */
	const void *on;    /* the object, for dumps */
	int64_t deadline;  /* HUB_FOREVER for none; scopes may end the wait earlier */
	bool is_loop_wait; /* the loop can end it, even without a deadline */
	bool is_shielded;  /* scopes do not end it; a kill wakes the coroutine, which waits again */
};

/* Ends the wait that the epoch names: the only way out of hub_suspend. Returns false, and does
 * nothing, if that wait has ended already. Thread: the hub's. Never switches. */
bool hub_wake(struct hub_coroutine *coroutine, uint32_t epoch, int reason);

/* Whether the run queue has exactly the coroutines that were appended and not taken, each READY. */
static inline bool
hub_queue_is_consistent(const struct hub *hub)
{
	uint64_t count = 0;

	for (const struct hub_coroutine *each = hub->ready_first; each != NULL; each = each->next) {
		if (each->state != COROUTINE_READY || each->hub != hub || each->id == 0 ||
			(each->next == NULL && each != hub->ready_last))
			return false;
		count++;
	}
	return count == hub->appended - hub->taken;
}

/* The same of its ends alone, at no cost for a long queue. */
static inline bool
hub_queue_has_ends(const struct hub *hub)
{
	return (hub->ready_first == NULL) == (hub->appended == hub->taken) &&
	       (hub->ready_first == NULL || hub->ready_last->next == NULL);
}

static inline void
hub_queue_append(struct hub *hub, struct hub_coroutine *coroutine)
{
	DCHECK(hub_queue_has_ends(hub));
	DCHECK(coroutine->hub == hub && coroutine != &hub->root);
	/* It is in the queue already, or will never run again. */
	DCHECK(coroutine->state != COROUTINE_READY && coroutine->state != COROUTINE_DONE);
	coroutine->state = COROUTINE_READY;
	coroutine->next = NULL;
	hub->appended++;
	if (hub->ready_first == NULL)
		hub->ready_first = coroutine;
	else
		hub->ready_last->next = coroutine;
	hub->ready_last = coroutine;
}

static inline struct hub_coroutine *
hub_queue_take(struct hub *hub)
{
	struct hub_coroutine *coroutine;

	chance_of_take(hub);
	coroutine = hub->ready_first;
	DCHECK(hub_queue_has_ends(hub) && coroutine != NULL);
	DCHECK(coroutine->state == COROUTINE_READY && coroutine->id != 0);
	hub->ready_first = coroutine->next;
	coroutine->state = COROUTINE_RUNNING;
	/* The watchdog's thread reads this. */
	__atomic_store_n(&hub->taken, hub->taken + 1, __ATOMIC_RELAXED);
	return coroutine;
}

/* Leaves out those that are in the run queue: none runs again in this run of the hub. */
static inline void
hub_queue_drop(struct hub *hub)
{
	hub->ready_first = NULL;
	__atomic_store_n(&hub->taken, hub->appended, __ATOMIC_RELAXED);
}

/* The callback of every coroutine's timer. */
void hub_timer_fired(struct ev_loop *loop, ev_timer *timer, int events);

/* The slow path of hub_tick: reads the clock. A slice ends after a millisecond, but not before each
 * coroutine that the loop made runnable has run once (another poll would only find the same
 * descriptors unread), and after sixteen milliseconds in any case. */
bool hub_slice_expired(struct hub *hub);

/* The watchdog's thread writes ticks, too. A hub's own store may overwrite that, but not while its
 * coroutines are slow. */
static inline void
hub_count_ticks(struct hub *hub, uint32_t ticks)
{
	__atomic_store_n(&hub->ticks, ticks, __ATOMIC_RELAXED);
}

static inline void
hub_count_due_calls(unsigned calls)
{
	__atomic_store_n(&hub_due_calls, calls, __ATOMIC_RELAXED);
}

/* Begins a slice: coroutines get the thread from the loop. They may be slower than those of the
 * last slice, so the interval starts short. */
static inline void
hub_slice_start(struct hub *hub)
{
	if (hub->tick_interval > HUB_TICKS_UNWATCHED)
		hub->tick_interval = HUB_TICKS_UNWATCHED;
	hub_count_ticks(hub, hub->tick_interval);
	hub->now = hub->slice_started = clock_now();
}

/* True when the loop is due. Counts switches, and calls that did not have to wait, so that a
 * coroutine whose peer is always ready starves none of the others. */
static inline bool
hub_tick(struct hub *hub)
{
	uint32_t left;

	chance_of_tick(hub);
	left = __atomic_load_n(&hub->ticks, __ATOMIC_RELAXED) - 1;
	hub_count_ticks(hub, left);
	return __builtin_expect(left == 0, 0) && hub_slice_expired(hub);
}

/* Lets the loop and every runnable coroutine run before the caller goes on. Called when hub_tick
 * returns true. */
void hub_pause(struct hub *hub);

/* The end of a call that fails because of a kill or of an expired scope. If the loop is due, the
 * others run first: a coroutine that does not heed the error, and tries again, would keep the hub
 * for ever. Returns -1 with errno as it is. */
int hub_fail_in_turn(void) HUB_INSIDE(hub_fail_in_turn) __attribute__((cold));

/* hub_enter for a blocking call that need not wait: lets the others run first if the loop is due.
 * The caller looks up its object afterwards. */
static inline struct hub_coroutine *
hub_enter_in_turn(void)
{
	struct hub_coroutine *self = hub_enter();

	if (__builtin_expect(self == NULL, 0)) {
		hub_fail_in_turn();
		return NULL;
	}
	if (!hub_tick(self->hub))
		return self;
	hub_pause(self->hub);
	return hub_enter();
}

/* Calls the hook `switched`, and records the switch. */
void hub_trace(struct hub *hub, struct hub_coroutine *to);

/* Whether the running stack may be left for `to`: the caller has set the states of both. Root is
 * RUNNING also while coroutines run, and so is a coroutine while root makes a call for it. */
static inline bool
hub_can_transfer(const struct hub *hub, const struct hub_coroutine *to)
{
	const struct hub_coroutine *from = hub->current;
	bool has_left =
		from->state != COROUTINE_RUNNING || from == &hub->root || hub->root_call != NULL;

	return hub == hub_this && to->hub == hub && to != from && has_left &&
	       to->state == COROUTINE_RUNNING && !hub->is_telling;
}

/* Continues `to` and suspends the running stack; is_last: the running stack never runs again. Sets
 * the hub's current; the caller sets states. Inline, so that only live registers are saved. */
static inline __attribute__((always_inline)) void *
hub_transfer(struct hub *hub, struct hub_coroutine *to, void *value, bool is_last)
{
	struct hub_coroutine *from = hub->current;

	DCHECK(hub_can_transfer(hub, to));
	if (hub_is_traced(hub))
		hub_trace(hub, to);
	hub->current = to;
	annotate_switch(&from->stack.annotate, &to->stack.annotate, is_last);
	value = arch_switch(&from->context, &to->context, value);
	annotate_arrive(&from->stack.annotate);
	DCHECK(hub == hub_this && hub->current == from && from->state == COROUTINE_RUNNING);
	/* The pages below the first are given back when the coroutine ends, or by the sweep. */
	if (__builtin_expect(from->context.sp < from->stack.mark, 0))
		stack_parked_low(&from->stack);
	return value;
}

/* hub_transfer in tail position of a function that users call from many places: it returns by a
 * jump, which the branch predictor knows better than a return. */
static inline __attribute__((always_inline)) void *
hub_transfer_tail(struct hub *hub, struct hub_coroutine *to, void *value)
{
#ifdef ANNOTATE_ASAN
	return hub_transfer(hub, to, value, false);
#else
	struct hub_coroutine *from = hub->current;

	DCHECK(hub_can_transfer(hub, to));
	if (hub_is_traced(hub))
		hub_trace(hub, to);
	hub->current = to;
	annotate_switch(&from->stack.annotate, &to->stack.annotate, false);
	if (__builtin_expect(__builtin_frame_address(0) < from->stack.mark, 0))
		stack_parked_low(&from->stack);
	return arch_switch_tail(&from->context, &to->context, value);
#endif
}

/* The next to run: the first coroutine in the queue, or the loop. */
static inline __attribute__((always_inline)) struct hub_coroutine *
hub_next_to_run(struct hub *hub)
{
	if (__builtin_expect(hub->ready_first == NULL, 0) || hub_tick(hub))
		return &hub->root;
	return hub_queue_take(hub);
}

/* Makes a coroutine that has never run runnable after that many nanoseconds. */
void hub_wait_to_start(struct hub_coroutine *coroutine, int64_t nanoseconds);

/* Arms the coroutine's timer for the deadline of its wait; it may also fire earlier. */
void hub_timer_arm(struct hub *hub, struct hub_coroutine *coroutine);

/* Suspends the running coroutine until hub_wake names its epoch. The caller has put the coroutine
 * where a waker will look, and takes it out if the result is not 0.
 * Returns 0 (woken), ETIMEDOUT (the wait's own deadline or a scope's), ECANCELED or EDEADLK, or
 * another reason of the waker; does not touch errno. Inline, because every frame on a parked stack
 * costs cache lines when the coroutine is continued. */
static inline __attribute__((always_inline)) int
hub_suspend(const struct wait *wait)
{
	struct hub *hub = hub_this;
	struct hub_coroutine *self = hub->current;
	uint32_t epoch = self->epoch;

	CHECK_WHY(self != &hub->root, "a blocking call where no coroutine runs");
	DCHECK(hub == hub_running && self->state == COROUTINE_RUNNING);
	/* A coroutine that ran since hub_enter may have killed this one. */
	if (!wait->is_shielded) {
		int interrupt = coroutine_interrupted(self);

		if (__builtin_expect(interrupt != 0, 0))
			return interrupt;
	}
	self->deadline = wait->deadline;
	if (self->scope != NULL && self->scope->earliest < self->deadline && !wait->is_shielded)
		self->deadline = self->scope->earliest;
	CHECK_WHY(!wait->is_shielded || !self->is_raw || coroutine_can_wait(self),
		"a call must wait that cannot fail, in a callback of the loop");
	if (__builtin_expect(self->is_raw, 0) && !wait->is_shielded) {
		int64_t drivers = coroutine_drivers_deadline(self);

		if (drivers < self->deadline)
			self->deadline = drivers;
	}
	if (self->deadline != HUB_FOREVER &&
		!(ev_is_active(&self->timer) && self->timer_at <= self->deadline))
		hub_timer_arm(hub, self);
	self->is_loop_wait = wait->is_loop_wait || self->deadline != HUB_FOREVER;
	hub->loop_waits += self->is_loop_wait;
	self->waits_for = wait->what;
	self->waits_on = wait->on;
	self->waits_since = hub->now;
	self->state = COROUTINE_WAITING;
	chance_of_wait(hub, wait);
	hub_transfer(hub, hub_next_to_run(hub), NULL, false);
	/* Each wait is ended by one wake. */
	DCHECK(self->epoch == epoch + 1);
	return self->reason;
}

/* Runs function(argument) on the thread's own stack, for the running coroutine; no other coroutine
 * runs meanwhile. Returns function's result. */
void *hub_call_on_root(hub_fn *function, void *argument);

/* For a wait under a shield, which must not end early, and has failed with errno: counts the
 * failure, unless hub_interrupt caused it, and after HUB_DEADLOCKS_MAX of them ends the process
 * with the sentence why. */
static inline void
hub_wait_failed_again(int *deadlocks, const char *why)
{
	*deadlocks += errno != EINTR;
	CHECK_WHY(*deadlocks < HUB_DEADLOCKS_MAX, why);
}

/* Leaves the running coroutine for ever, to the next runnable one or the loop. */
_Noreturn void hub_leave(struct hub *hub);

#endif
