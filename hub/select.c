/* One coroutine waits in the queues of several objects at once, with one epoch: the first waker
 * ends the wait, and the wakes of all others come too late and do nothing. After the wait every
 * waiter is taken out of its queue before the winning case is carried out. */
#include "hub/select.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "hub/base/clock.h"
#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/base/room.h"
#include "hub/io/fd_priv.h"
#include "hub/io/wait_priv.h"
#include "hub/sync/queue_priv.h"

/* Up to this many waiters lie on the caller's stack; more are allocated. */
#define SMALL 8

/* The waiting side of one case. */
struct selector {
	struct queue_putter putter; /* its waiter serves every kind of case */
	struct fd_interest interest;
	struct hub_link link;
	uint64_t id; /* of the coroutine whose end is awaited */
	/* A result has arrived and woken this waiter, though another case had ended the wait: it
	 * must not be lost. */
	bool is_taken;
};

/* Carries out the case if it can be now. Returns 0 (done), EAGAIN, or the errno with which the case
 * can only fail. */
static int
try_now(struct hub_case *one)
{
	int result = -1;

	errno = EAGAIN;
	switch (one->kind) {
	case HUB_CASE_CHANNEL_GET:
		result = hub_channel_try_get(one->object, &one->item);
		break;
	case HUB_CASE_CHANNEL_PUT:
		result = hub_channel_try_put(one->object, one->item);
		break;
	case HUB_CASE_QUEUE_GET:
		result = hub_queue_try_get(one->object, &one->item);
		break;
	case HUB_CASE_QUEUE_PUT:
		result = hub_queue_try_put(one->object, one->item);
		break;
	case HUB_CASE_EVENT:
		result = ((struct hub_event *)one->object)->is_set ? 0 : -1;
		break;
	case HUB_CASE_RESULT:
		result = hub_result_is_set(one->object) ? 0 : -1;
		break;
	case HUB_CASE_SEMAPHORE:
		result = hub_semaphore_try_acquire(one->object);
		break;
	case HUB_CASE_ENDED:
		result = ((struct hub_coroutine *)one->object)->state == COROUTINE_DONE ? 0 : -1;
		break;
	case HUB_CASE_FD:
		one->revents = (short)fd_poll_now(one->fd, one->events);
		result = one->revents > 0 ? 0 : -1;
		if (one->revents == 0)
			errno = EAGAIN;
		break;
	case HUB_CASE_NEVER:
	case HUB_CASE_MAX:
		break;
	}
	return result == 0 ? 0 : errno;
}

/* The queue in which the case's waiter waits; NULL for kinds that wait otherwise. */
static struct hub_waiter **
waiters_of(const struct hub_case *one)
{
	switch (one->kind) {
	case HUB_CASE_CHANNEL_GET:
		return &((struct hub_channel *)one->object)->getters;
	case HUB_CASE_CHANNEL_PUT:
		return &((struct hub_channel *)one->object)->putters;
	case HUB_CASE_QUEUE_GET:
		return queue_waiters(one->object, false);
	case HUB_CASE_QUEUE_PUT:
		return queue_waiters(one->object, true);
	case HUB_CASE_EVENT:
		return &((struct hub_event *)one->object)->first;
	case HUB_CASE_RESULT:
		return &((struct hub_result *)one->object)->first;
	case HUB_CASE_SEMAPHORE:
		return &((struct hub_semaphore *)one->object)->first;
	default:
		return NULL;
	}
}

static void
awaited_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct hub_waiter *waiter = &CONTAINER_OF(link, struct selector, link)->putter.waiter;

	(void)coroutine;
	waiter->is_met = hub_wake(waiter->coroutine, waiter->epoch, 0);
}

/* Records which descriptor or coroutine the case means; after a switch the fd, or the memory, may
 * be another's. */
static void
note(const struct hub_case *one, struct selector *selector)
{
	if (one->kind == HUB_CASE_FD)
		fd_interest_note(&selector->interest, hub_this, one->fd);
	else if (one->kind == HUB_CASE_ENDED)
		selector->id = hub_id(one->object);
}

/* Whether the case's descriptor was closed, its coroutine ended, or its result arrived, since note
 * or enter. */
static bool
is_over(const struct hub_case *one, const struct selector *selector)
{
	const struct hub_coroutine *awaited = one->object;

	if (one->kind == HUB_CASE_FD)
		return fd_interest_is_over(&selector->interest);
	/* The result's memory may be gone: is_taken was stored on leaving its queue. */
	if (one->kind == HUB_CASE_RESULT)
		return selector->is_taken;
	return one->kind == HUB_CASE_ENDED &&
	       (awaited->id != selector->id || awaited->state == COROUTINE_DONE);
}

/* Puts self into the case's queue. Returns 0, or an errno if the case cannot be waited for. */
static int
enter(struct hub_case *one, struct selector *selector, struct hub_coroutine *self)
{
	struct hub_waiter *waiter = &selector->putter.waiter;
	struct hub_waiter **waiters = waiters_of(one);

	DCHECK(self == hub_this->current && one->kind < HUB_CASE_MAX);
	selector->is_taken = waiter->is_queued = waiter->is_met = false;
	if (waiters != NULL) {
		if (one->kind == HUB_CASE_QUEUE_PUT)
			queue_putter_init(one->object, &selector->putter, one->item, 0);
		/* A result passes its value only to waiters whose item is set: a select only learns
		 * that it has arrived. */
		waiter->item = one->kind != HUB_CASE_RESULT ? one->item : NULL;
		waiter_enter(waiters, waiter, self);
	} else if (one->kind == HUB_CASE_ENDED) {
		note(one, selector);
		waiter->coroutine = self;
		waiter->epoch = self->epoch;
		selector->link.ended = awaited_ended;
		hub_link(one->object, &selector->link);
	} else if (one->kind == HUB_CASE_FD) {
		return fd_interest_enter(&selector->interest, one->fd, one->events, self);
	}
	return 0;
}

/* Takes the waiter out of the case's queue. Returns whether this case ended the wait. */
static bool
leave(struct hub_case *one, struct selector *selector)
{
	struct hub_waiter **waiters = waiters_of(one), *waiter = &selector->putter.waiter;

	if (one->kind == HUB_CASE_RESULT)
		selector->is_taken = !waiter->is_queued && !waiter->is_met;
	if (waiters != NULL)
		waiter_leave(waiters, waiter);
	else if (one->kind == HUB_CASE_ENDED)
		hub_unlink(one->object, &selector->link);
	else if (one->kind == HUB_CASE_FD)
		return fd_interest_leave(&selector->interest);
	DCHECK(!waiter->is_queued);
	return waiter->is_met;
}

/* Carries out the case that ended the wait, with the waker's reason. Returns false if a descriptor
 * is not ready after all. */
static bool
happen(struct hub_case *one, const struct selector *selector, int reason)
{
	DCHECK(one->kind != HUB_CASE_ENDED || (reason == 0 && is_over(one, selector)));
	one->error = reason;
	if (one->kind == HUB_CASE_FD && is_over(one, selector))
		one->error = EBADF;
	if (one->error != 0)
		return true;
	if (one->kind == HUB_CASE_CHANNEL_GET || one->kind == HUB_CASE_QUEUE_GET)
		one->item = selector->putter.waiter.item;
	if (one->kind != HUB_CASE_FD)
		return true;
	one->error = try_now(one);
	return one->error != EAGAIN;
}

/* Finds the first case whose descriptor was closed, perhaps behind the hub's back, or whose
 * coroutine has ended, while another case, or none, ended the wait, and carries it out. Returns its
 * index, or -1. */
static int
find_over(struct hub_case *cases, size_t count, const struct selector *selectors)
{
	for (size_t i = 0; i < count; i++) {
		if (cases[i].kind == HUB_CASE_FD)
			fd_is_kept(&selectors[i].interest.hold);
		if (is_over(&cases[i], &selectors[i])) {
			cases[i].error = cases[i].kind == HUB_CASE_FD ? EBADF : 0;
			return (int)i;
		}
	}
	return -1;
}

/* Lets other coroutines run. Returns as wait_once. */
static int
take_turns(struct hub_case *cases, size_t count, struct selector *selectors, int *reason)
{
	for (size_t i = 0; i < count; i++) {
		note(&cases[i], &selectors[i]);
		if (cases[i].kind == HUB_CASE_RESULT)
			enter(&cases[i], &selectors[i], hub_this->current);
	}
	hub_pause(hub_this);
	for (size_t i = 0; i < count; i++)
		if (cases[i].kind == HUB_CASE_RESULT)
			leave(&cases[i], &selectors[i]);
	*reason = hub_enter() != NULL ? 0 : errno;
	if (*reason != 0)
		return -1;
	return find_over(cases, count, selectors);
}

/* Waits in all cases. Returns the index of the case that was carried out, or -1 with an errno in
 * *reason (0: wait again). */
static int
wait_once(struct hub_case *cases, size_t count, struct selector *selectors, int64_t deadline,
	int *reason)
{
	struct hub_coroutine *self = hub_this->current;
	struct wait wait = {.what = "select", .on = cases, .deadline = deadline};
	size_t entered = 0;
	int met = -1;

	for (; entered < count && *reason == 0; entered++) {
		*reason = enter(&cases[entered], &selectors[entered], self);
		if (cases[entered].kind == HUB_CASE_FD)
			wait.is_loop_wait = true;
	}
	if (*reason == 0)
		*reason = hub_suspend(&wait);
	else
		entered--;
	for (size_t i = 0; i < entered; i++)
		if (leave(&cases[i], &selectors[i])) {
			/* One wake ends a wait, so one case does. */
			DCHECK(met < 0);
			met = (int)i;
		}
	DCHECK(met >= 0 || *reason != 0);
	if (met >= 0) {
		int woken = *reason;

		*reason = 0;
		if (!happen(&cases[met], &selectors[met], woken))
			met = find_over(cases, entered, selectors);
	} else if (*reason == EBADF) {
		/* A descriptor of an earlier round is closed by now. */
		met = find_over(cases, entered + 1, selectors);
		*reason = met >= 0 ? 0 : EBADF;
	} else if (*reason == ETIMEDOUT) {
		/* A kill after the deadline has precedence. */
		*reason = coroutine_interrupted(self) != 0 ? coroutine_interrupted(self) : EAGAIN;
	}
	return met;
}

/* Tries each case once, beginning at turn. Returns the index of the case that was carried out, or
 * -1. */
static int
try_all(struct hub_case *cases, size_t count, size_t turn)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = (turn + i) % count;

		cases[at].error = try_now(&cases[at]);
		if (cases[at].error != EAGAIN)
			return (int)at;
	}
	return -1;
}

/* The slow part of a select: it waits, or lets others run if is_turn. Returns the index, or -1 with
 * an errno in *reason. */
static int
wait_all(struct hub_case *cases, size_t count, int64_t timeout, bool is_turn, int *reason)
{
	struct selector small[SMALL], *selectors = small;
	int64_t deadline = HUB_FOREVER;
	int index = -1;

	*reason = 0;
	if (count > SMALL) {
		selectors = malloc(count * sizeof *selectors);
		if (selectors == NULL) {
			*reason = errno;
			return -1;
		}
	}
	for (size_t i = 0; i < count; i++)
		selectors[i].interest.hold = fd_hold(NULL);
	if (timeout != HUB_FOREVER)
		deadline = clock_after(clock_now(), timeout);
	if (is_turn) {
		index = take_turns(cases, count, selectors, reason);
		if (index < 0 && *reason == 0)
			index = try_all(cases, count, hub_this->selects++);
		if (index < 0 && *reason == 0 && timeout <= 0)
			*reason = EAGAIN;
	}
	while (index < 0 && *reason == 0) {
		index = wait_once(cases, count, selectors, deadline, reason);
		/* The descriptor that woke this wait is not ready any more; another case may be
		 * possible since. */
		if (index < 0 && *reason == 0)
			index = try_all(cases, count, hub_this->selects);
	}
	if (selectors != small)
		free(selectors);
	return index;
}

int
hub_select(struct hub_case *cases, size_t count, int64_t timeout)
{
	struct hub_coroutine *self = hub_enter();
	int index = -1, reason;
	bool is_turn;

	if (self == NULL)
		return hub_fail_in_turn();
	for (size_t i = 0; i < count; i++)
		if ((unsigned)cases[i].kind >= HUB_CASE_MAX || !ROOM_IS_EMPTY(&cases[i]))
			return failed(EINVAL);
	if (count == 0 && timeout == HUB_FOREVER)
		return failed(EINVAL);
	/* If the loop is due, others run first: cases that are always ready must not starve
	 * them. */
	is_turn = hub_tick(self->hub);
	if (!is_turn)
		index = try_all(cases, count, self->hub->selects++);
	if (index >= 0)
		return index;
	if (timeout <= 0 && !is_turn)
		return failed(EAGAIN);
	index = wait_all(cases, count, timeout, is_turn, &reason);
	return index >= 0 ? index : failed(reason);
}
