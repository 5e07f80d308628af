/* A variable that a coroutine of this thread initialises is in the hub's list, with a queue of the
 * coroutines that wait for it. If another thread initialises it, a coroutine sleeps and looks
 * again, and a thread without a coroutine waits by futex(2). The guard's bytes are those of
 * libstdc++. */
#include "hub/statics_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/scheduler_priv.h"
#include "hub/timeout.h"
#include "hub/waiters_priv.h"

/* Compiled code reads the first byte; the rest is libstdc++'s. */
enum { IS_DONE = 1, IS_PENDING = 1 << 8, HAS_SLEEPERS = 1 << 16 };

/* How long a coroutine sleeps between two looks at a variable that another thread initialises. */
#define LOOK_FIRST HUB_MILLISECOND
#define LOOK_LAST (16 * HUB_MILLISECOND)

/* A variable that a coroutine of this thread is initialising. */
struct hub_static {
	struct hub_static *next;
	int *guard;
	uint64_t owner; /* hub_id of that coroutine */
	struct hub_waiter *waiters;
};

static struct hub_static **
find(struct hub *hub, const int *guard)
{
	struct hub_static **place = &hub->statics;

	while (*place != NULL && (*place)->guard != guard)
		place = &(*place)->next;
	return place;
}

static bool
is_noted(struct hub *hub, const int *guard)
{
	return *find(hub, guard) != NULL;
}

/* Without memory the other coroutines poll, as if another thread initialised the variable. */
static void
note(int *guard)
{
	struct hub_static *one = hub_can_wait() ? malloc(sizeof *one) : NULL;

	if (one == NULL)
		return;
	/* The guard lets one coroutine initialise the variable. */
	CHECK(!is_noted(hub_this, guard));
	*one = (struct hub_static){hub_this->statics, guard, hub_this->current->id, NULL};
	hub_this->statics = one;
}

/* Ends the initialisation: sets the guard, and wakes threads by futex(2) and coroutines by their
 * queue. */
static void
end(int *guard, int state)
{
	struct hub_static **place, *one;

	if (__atomic_exchange_n(guard, state, __ATOMIC_ACQ_REL) & HAS_SLEEPERS)
		kernel_futex(guard, FUTEX_WAKE_PRIVATE, INT_MAX);
	if (hub_this == NULL || hub_this->statics == NULL)
		return;
	place = find(hub_this, guard);
	one = *place;
	if (one == NULL)
		return;
	*place = one->next;
	waiters_wake_all(&one->waiters, 0);
	free(one);
}

/* Waits for another coroutine of this thread, or until hub_interrupt. Shielded: the variable must
 * exist before a kill or deadline can have an effect. */
static void
wait_for_coroutine(struct hub_static *one)
{
	struct wait wait = {.what = "static variable", .on = one->guard, .deadline = HUB_FOREVER};
	struct hub_waiter waiter;
	struct hub_timeout shield;
	int result;

	CHECK_WHY(one->owner != hub_this->current->id,
		"the initialiser of a function's static variable needs that variable itself");
	CHECK_WHY(hub_can_wait(), "a function's static variable is needed where no coroutine can "
				  "wait, and one of the thread's coroutines is initialising it");
	hub_shield_start(&shield);
	result = waiter_wait(&one->waiters, &waiter, hub_this->current, &wait);
	hub_shield_stop(&shield);
	/* hub_interrupt ends a shielded wait, too: the caller looks again. */
	CHECK_WHY(result == 0 || errno == EINTR, "deadlock: the coroutine that initialises a "
						 "function's static variable can never go on");
}

/* Waits for another thread: a coroutine sleeps once, a thread waits for the guard to change. */
static void
wait_for_thread(int *guard, int seen, int64_t *pause)
{
	struct hub_timeout shield;

	if (!hub_can_wait()) {
		int wanted = seen | HAS_SLEEPERS;

		if (seen == wanted || __atomic_compare_exchange_n(guard, &seen, wanted, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			kernel_futex(guard, FUTEX_WAIT_PRIVATE, wanted);
		return;
	}
	hub_shield_start(&shield);
	hub_sleep(*pause);
	hub_shield_stop(&shield);
	*pause = *pause < LOOK_LAST ? 2 * *pause : LOOK_LAST;
}

int
statics_acquire(int *guard)
{
	int64_t pause = LOOK_FIRST;

	for (;;) {
		struct hub_static *one = hub_this != NULL ? *find(hub_this, guard) : NULL;
		int seen = 0;

		if (__atomic_compare_exchange_n(
			    guard, &seen, IS_PENDING, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			note(guard);
			return 1;
		}
		if (seen & IS_DONE)
			return 0;
		if (one != NULL)
			wait_for_coroutine(one);
		else
			wait_for_thread(guard, seen, &pause);
	}
}

void
statics_release(int *guard)
{
	end(guard, IS_DONE);
}

void
statics_abandon(int *guard)
{
	end(guard, 0);
}
