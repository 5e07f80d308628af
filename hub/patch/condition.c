/* Conditions, semaphores and reader-writer locks, between coroutines and threads.
 *
 * A coroutine that waits is in a table of the process, by the address of the object that it waits
 * for. pthread_cond_signal and its kin, on any thread, wake a coroutine in the table, or, if none
 * is there, a thread that waits in libc. What another process signals cannot be seen: a condition
 * shared between processes blocks the thread, a shared semaphore is tried every 5 ms. */
#include <errno.h>
#include <hubbub/fork.h>
#include <hubbub/thread/shared.h>
#include <hubbub/timeout.h>
#include <limits.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/thread_priv.h"
#include "hub/patch/time_priv.h"

#define BUCKETS 256

/* How often an object is tried again: signal handlers may post a semaphore, other processes
 * anything shared, without waking the coroutine. */
#define LOOK_AGAIN (50 * HUB_MILLISECOND)
#define LOOK_AGAIN_SHARED (5 * HUB_MILLISECOND)

/* glibc's layout: flags of pthread_cond_t's __wrefs, and the word of a sem_t's struct new_sem that
 * is not 0 in one that processes share. */
#define CONDITION_IS_SHARED 1
#define CONDITION_IS_MONOTONIC 2
#define SEMAPHORE_PRIVATE_WORD 2

/* A coroutine that waits for an object; on its own stack. */
struct sleeper {
	struct list link;
	const void *object;
	struct hub_shared_semaphore *woken; /* released by the thread that wakes it */
	bool is_queued;                     /* in its bucket; under the bucket's mutex */
};

static struct bucket {
	pthread_mutex_t mutex; /* held for a few instructions; locked by libc's own call */
	struct list sleepers;
} buckets[BUCKETS];

/* How many coroutines are in the table: signalling looks no further if there are none. */
static atomic_uint sleeping;

/* At the start, and in a forked child, which has none of the parent's coroutines. */
static void
reset(void)
{
	for (int i = 0; i < BUCKETS; i++) {
		pthread_mutex_init(&buckets[i].mutex, NULL);
		list_init(&buckets[i].sleepers);
	}
	atomic_store(&sleeping, 0);
}

static __attribute__((constructor)) void
start(void)
{
	reset();
	pthread_atfork(NULL, NULL, reset);
}

static struct bucket *
bucket_of(const void *object)
{
	uintptr_t address = (uintptr_t)object;

	return &buckets[(address >> 4 ^ address >> 12) % BUCKETS];
}

/* Puts the calling coroutine into the table. Returns 0 or ENOMEM. */
static int
sleeper_enter(struct sleeper *sleeper, const void *object)
{
	struct bucket *bucket = bucket_of(object);

	sleeper->object = object;
	sleeper->woken = hub_shared_semaphore_new(0);
	if (sleeper->woken == NULL)
		return ENOMEM;
	sleeper->is_queued = true;
	REAL(pthread_mutex_lock)(&bucket->mutex);
	list_append(&bucket->sleepers, &sleeper->link);
	REAL(pthread_mutex_unlock)(&bucket->mutex);
	atomic_fetch_add(&sleeping, 1);
	return 0;
}

/* Takes the calling coroutine out of the table. Returns whether it was woken: then the thread that
 * woke it has finished with it. */
static bool
sleeper_leave(struct sleeper *sleeper)
{
	struct bucket *bucket = bucket_of(sleeper->object);
	bool was_queued;

	REAL(pthread_mutex_lock)(&bucket->mutex);
	was_queued = sleeper->is_queued;
	if (was_queued)
		list_remove(&sleeper->link);
	REAL(pthread_mutex_unlock)(&bucket->mutex);
	atomic_fetch_sub(&sleeping, 1);
	hub_shared_semaphore_free(sleeper->woken);
	return !was_queued;
}

/* Waits to be woken. Shielded, only the wake, the time and hub_interrupt end the wait. Returns 0 or
 * an errno. */
static int
sleeper_sleep(struct sleeper *sleeper, int64_t nanoseconds, bool is_shielded)
{
	struct hub_timeout shield, limit;
	int error;

	if (is_shielded)
		hub_shield_start(&shield);
	hub_timeout_start(&limit, nanoseconds);
	error = hub_shared_semaphore_acquire(sleeper->woken) == 0 ? 0 : errno;
	hub_timeout_stop(&limit);
	if (is_shielded)
		hub_shield_stop(&shield);
	return error;
}

/* Wakes the first coroutine that waits for the object, or all. Returns whether there was one. */
static bool
wake(const void *object, bool is_all)
{
	struct bucket *bucket = bucket_of(object);
	bool has_woken = false;

	REAL(pthread_mutex_lock)(&bucket->mutex);
	for (struct list *link = bucket->sleepers.next, *next; link != &bucket->sleepers;
		link = next) {
		struct sleeper *sleeper = CONTAINER_OF(link, struct sleeper, link);

		next = link->next;
		if (sleeper->object != object)
			continue;
		list_remove(link);
		sleeper->is_queued = false;
		hub_shared_semaphore_release(sleeper->woken);
		has_woken = true;
		if (!is_all)
			break;
	}
	REAL(pthread_mutex_unlock)(&bucket->mutex);
	return has_woken;
}

/* ---- conditions ---- */

static bool
condition_is(const pthread_cond_t *condition, unsigned flag)
{
	return condition->__data.__wrefs & flag;
}

/* Waits to be signalled, until end; end NULL: as long as it takes. Returns 0 or an errno. */
static int
condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
	const struct timespec *end)
{
	struct sleeper sleeper;
	int saved = errno, error;
	bool was_woken;

	if (end != NULL && !patch_is_time(end))
		return EINVAL;
	if (hub_is_vforked())
		return end == NULL ? REAL(pthread_cond_wait)(condition, mutex)
				   : REAL(pthread_cond_clockwait)(condition, mutex, clock, end);
	error = sleeper_enter(&sleeper, condition);
	if (error != 0)
		return error;
	error = patch_pthread_mutex_unlock(mutex);
	if (error != 0) {
		sleeper_leave(&sleeper);
		return error;
	}
	/* A thread that is a coroutine is not shielded: pthread_cancel alone kills it, and that is
	 * to end the wait. */
	sleeper_sleep(&sleeper, end == NULL ? HUB_FOREVER : patch_time_left(clock, end),
		thread_this() == NULL);
	was_woken = sleeper_leave(&sleeper);
	patch_caller = NULL;
	error = patch_pthread_mutex_lock(mutex);
	/* Waiting for a condition, unlike locking, is a cancellation point, at which the mutex is
	 * held. */
	if (!was_woken && thread_is_cancelled())
		pthread_exit(PTHREAD_CANCELED);
	errno = saved;
	if (error != 0)
		return error;
	return was_woken || end == NULL ? 0 : ETIMEDOUT;
}

int
patch_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	if (condition_is(condition, CONDITION_IS_SHARED))
		return REAL(pthread_cond_wait)(condition, mutex);
	return condition_wait(condition, mutex, CLOCK_REALTIME, NULL);
}

int
patch_pthread_cond_timedwait(
	pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *end)
{
	if (condition_is(condition, CONDITION_IS_SHARED))
		return REAL(pthread_cond_timedwait)(condition, mutex, end);
	return condition_wait(condition, mutex,
		condition_is(condition, CONDITION_IS_MONOTONIC) ? CLOCK_MONOTONIC : CLOCK_REALTIME,
		end);
}

int
patch_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
	const struct timespec *end)
{
	if (condition_is(condition, CONDITION_IS_SHARED) ||
		(clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
		return REAL(pthread_cond_clockwait)(condition, mutex, clock, end);
	return condition_wait(condition, mutex, clock, end);
}

int
patch_pthread_cond_signal(pthread_cond_t *condition)
{
	if (__builtin_expect(atomic_load(&sleeping) != 0, 0) && wake(condition, false))
		return 0;
	return REAL(pthread_cond_signal)(condition);
}

int
patch_pthread_cond_broadcast(pthread_cond_t *condition)
{
	if (__builtin_expect(atomic_load(&sleeping) != 0, 0))
		wake(condition, true);
	/* Threads may wait in libc beside the coroutines. */
	return REAL(pthread_cond_broadcast)(condition);
}

/* ---- what is tried until it is free: semaphores, reader-writer locks ---- */

/* One attempt. Returns 0; EAGAIN or EBUSY if the object is taken; or another errno. */
typedef int try_fn(void *object);

/* Tries until the object is free, or until end; end NULL: as long as it takes. It is tried again
 * when it is given back, and every pause nanoseconds. Kills and signal handlers end the wait only
 * if is_killable: where callers look at errors. Returns 0 or an errno. */
static int
wait_by_trying(void *object, try_fn *try, int64_t pause, clockid_t clock,
	const struct timespec *end, bool is_killable)
{
	int64_t left = HUB_FOREVER;
	struct sleeper sleeper;
	struct interruptible wait;
	struct since since = {0};
	int saved = errno, error, reason;

	if (end != NULL && !patch_is_time(end))
		return EINVAL;
	while ((error = try(object)) == EAGAIN || error == EBUSY) {
		if (hub_is_vforked()) {
			unsigned before = interrupt_endings();

			if (end != NULL && patch_time_left(clock, end) == 0)
				return ETIMEDOUT;
			REAL(nanosleep)(&(struct timespec){0, HUB_MILLISECOND}, NULL);
			if (is_killable && interrupt_endings() != before)
				return EINTR;
			continue;
		}
		error = sleeper_enter(&sleeper, object);
		if (error != 0)
			return error;
		/* Once more: it may have been given back before this coroutine was in the table. */
		error = try(object);
		if (error != 0 && end != NULL)
			left = patch_time_left(clock, end);
		reason = 0;
		if (is_killable)
			interruptible_begin(&wait, WAIT_RESTARTED, &since);
		if (error != 0 && left > 0)
			reason = sleeper_sleep(&sleeper, left < pause ? left : pause, !is_killable);
		if (is_killable)
			interruptible_end(&wait);
		/* The object was free before the wake: the next coroutine is woken in place of this
		 * one. */
		if (sleeper_leave(&sleeper) && error == 0)
			wake(object, false);
		if (reason == EINTR && is_killable)
			return EINTR;
		if (error != EAGAIN && error != EBUSY)
			break;
		if (left == 0)
			return ETIMEDOUT;
		if (is_killable && hub_sleep(0) != 0)
			return errno;
	}
	errno = saved;
	return error;
}

/* ---- semaphores ---- */

static bool
semaphore_is_shared(const sem_t *semaphore)
{
	return ((const int *)(const void *)semaphore)[SEMAPHORE_PRIVATE_WORD] != 0;
}

static int
try_semaphore(void *semaphore)
{
	return sem_trywait(semaphore) == 0 ? 0 : errno;
}

static int
semaphore_wait(sem_t *semaphore, clockid_t clock, const struct timespec *end)
{
	int64_t pause = semaphore_is_shared(semaphore) ? LOOK_AGAIN_SHARED : LOOK_AGAIN;
	int error = wait_by_trying(semaphore, try_semaphore, pause, clock, end, true);

	/* Waiting for a semaphore, unlike locking, is a cancellation point. */
	if (thread_is_cancelled())
		pthread_exit(PTHREAD_CANCELED);
	return failed(error);
}

int
patch_sem_wait(sem_t *semaphore)
{
	return semaphore_wait(semaphore, CLOCK_REALTIME, NULL);
}

int
patch_sem_timedwait(sem_t *semaphore, const struct timespec *end)
{
	return semaphore_wait(semaphore, CLOCK_REALTIME, end);
}

int
patch_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *end)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return failed(EINVAL);
	return semaphore_wait(semaphore, clock, end);
}

/* Async-signal-safe: in a signal handler, which may have interrupted a thread that holds the
 * bucket's mutex, it only posts; a coroutine that waits finds out when it tries again. */
int
patch_sem_post(sem_t *semaphore)
{
	int result = REAL(sem_post)(semaphore), error = errno;

	if (__builtin_expect(atomic_load(&sleeping) != 0, 0) && result == 0 &&
		!interrupt_in_handler())
		wake(semaphore, false);
	errno = error;
	return result;
}

/* ---- reader-writer locks ----
 *
 * To libc all coroutines of a thread are one owner: so libc is asked to try, and never to wait. */

static int
try_to_read(void *lock)
{
	return pthread_rwlock_tryrdlock(lock);
}

static int
try_to_write(void *lock)
{
	return pthread_rwlock_trywrlock(lock);
}

static int
lock_by_trying(pthread_rwlock_t *lock, try_fn *try, clockid_t clock, const struct timespec *end)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	return wait_by_trying(lock, try, LOOK_AGAIN_SHARED, clock, end, false);
}

int
patch_pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	return lock_by_trying(lock, try_to_read, CLOCK_REALTIME, NULL);
}

int
patch_pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	return lock_by_trying(lock, try_to_write, CLOCK_REALTIME, NULL);
}

int
patch_pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *end)
{
	return lock_by_trying(lock, try_to_read, CLOCK_REALTIME, end);
}

int
patch_pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *end)
{
	return lock_by_trying(lock, try_to_write, CLOCK_REALTIME, end);
}

int
patch_pthread_rwlock_clockrdlock(
	pthread_rwlock_t *lock, clockid_t clock, const struct timespec *end)
{
	return lock_by_trying(lock, try_to_read, clock, end);
}

int
patch_pthread_rwlock_clockwrlock(
	pthread_rwlock_t *lock, clockid_t clock, const struct timespec *end)
{
	return lock_by_trying(lock, try_to_write, clock, end);
}

int
patch_pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	int error = REAL(pthread_rwlock_unlock)(lock);

	if (__builtin_expect(atomic_load(&sleeping) != 0, 0) && error == 0)
		wake(lock, true);
	return error;
}

int
patch_sched_yield(void)
{
	if (hub_is_vforked())
		return REAL(sched_yield)();
	hub_sleep(0);
	return 0;
}
