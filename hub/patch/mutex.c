/* Mutexes between coroutines. To libc all coroutines of a thread are one owner. So each thread
 * keeps two tables: which coroutine owns a recursive or error-checking mutex, and which coroutines
 * wait for a mutex that another coroutine of the thread holds. No lock guards the tables, since no
 * other thread uses them. Whether the thread holds a mutex at all, glibc's __owner tells.
 *
 * Nothing is kept of a plain mutex unless a coroutine waits for it; none ever waits for a mutex of
 * the allocator, of libc or of the hub. */
#include <dlfcn.h>
#include <errno.h>
#include <hubbub/fork.h>
#include <hubbub/sync/event.h>
#include <hubbub/timeout.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub/patch/patch_priv.h"
#include "hub/patch/report_priv.h"
#include "hub/patch/thread_priv.h"
#include "hub/patch/time_priv.h"

/* Few, since each thread has two tables: thread-local storage of a library that is loaded at run
 * time must fit into what the loader keeps for that, 1.6 KB. */
#define BUCKETS 32

/* The kind of a mutex in glibc's __kind, below the flags of robust, inheriting and shared
 * mutexes. */
#define KIND_MASK 3

/* Which coroutine owns a recursive or an error-checking mutex. */
struct owner {
	struct owner *next;
	const pthread_mutex_t *mutex;
	uint64_t id; /* of the coroutine, as hub_id; 0: the thread, outside of coroutines */
};

/* A coroutine that waits for a mutex; on its own stack. */
struct waiter {
	struct waiter *next;
	const pthread_mutex_t *mutex;
	struct hub_event woken;
};

static _Thread_local struct {
	struct owner *owners[BUCKETS];
	struct waiter *waiters[BUCKETS];
} tables;

/* How many owners and waiters both tables have: an unlock looks no further if there are none. */
static _Thread_local unsigned noted;

/* The thread's id, as in __owner; 0 until it is needed. */
static _Thread_local pid_t this_thread;

static size_t
bucket_of(const pthread_mutex_t *mutex)
{
	uintptr_t address = (uintptr_t)mutex;

	return (address >> 4 ^ address >> 12) % BUCKETS;
}

/* Whether libc looks at the owner: of recursive and error-checking mutexes. */
static bool
counts_owner(const pthread_mutex_t *mutex)
{
	int kind = mutex->__data.__kind & KIND_MASK;

	return kind == PTHREAD_MUTEX_RECURSIVE_NP || kind == PTHREAD_MUTEX_ERRORCHECK_NP;
}

/* Whether this thread holds the mutex. __owner may change while it is read, but it is this thread's
 * id only if this thread has stored it. */
static bool
is_held_here(const pthread_mutex_t *mutex)
{
	if (this_thread == 0)
		this_thread = gettid();
	return __atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED) == this_thread;
}

/* ---- owners ---- */

static struct owner **
owner_find(const pthread_mutex_t *mutex)
{
	struct owner **owner = &tables.owners[bucket_of(mutex)];

	while (*owner != NULL && (*owner)->mutex != mutex)
		owner = &(*owner)->next;
	return owner;
}

static uint64_t
current_id(void)
{
	const struct hub_coroutine *self = hub_current();

	return self != NULL ? hub_id(self) : 0;
}

/* Of a mutex that this thread holds: whether another coroutine owns it. If not, the caller owns it,
 * or the thread does, from before it ran coroutines. */
static bool
is_anothers(const pthread_mutex_t *mutex)
{
	const struct owner *owner = *owner_find(mutex);

	return owner != NULL && owner->id != 0 && owner->id != current_id();
}

static void
owner_clear(const pthread_mutex_t *mutex)
{
	struct owner **place = owner_find(mutex), *owner = *place;

	if (owner == NULL)
		return;
	*place = owner->next;
	free(owner);
	noted--;
}

/* Makes the caller the owner of a mutex that was locked with this result. Returns the result;
 * EAGAIN, with the mutex unlocked again, without memory. */
static int
owner_set(pthread_mutex_t *mutex, int locked)
{
	struct owner *owner;

	if ((locked != 0 && locked != EOWNERDEAD) || !counts_owner(mutex))
		return locked;
	/* Left behind by a mutex that was destroyed while locked. */
	owner_clear(mutex);
	owner = malloc(sizeof *owner);
	if (owner == NULL) {
		REAL(pthread_mutex_unlock)(mutex);
		return EAGAIN;
	}
	owner->mutex = mutex;
	owner->id = current_id();
	owner->next = tables.owners[bucket_of(mutex)];
	tables.owners[bucket_of(mutex)] = owner;
	noted++;
	return locked;
}

/* ---- waiters ---- */

static void
waiter_enter(struct waiter *waiter)
{
	struct waiter **last = &tables.waiters[bucket_of(waiter->mutex)];

	while (*last != NULL)
		last = &(*last)->next;
	*last = waiter;
	noted++;
}

static void
waiter_leave(struct waiter *waiter)
{
	struct waiter **place = &tables.waiters[bucket_of(waiter->mutex)];

	while (*place != waiter)
		place = &(*place)->next;
	*place = waiter->next;
	noted--;
}

static void
wake_first(const pthread_mutex_t *mutex)
{
	struct waiter *waiter = tables.waiters[bucket_of(mutex)];

	for (; waiter != NULL; waiter = waiter->next)
		if (waiter->mutex == mutex && !waiter->woken.is_set) {
			hub_event_set(&waiter->woken);
			return;
		}
}

/* Waits for an unlock; shielded, so only the unlock, the time or a deadlock ends the wait: callers
 * do not expect that locking fails. Returns 0 or an errno. */
static int
wait_woken(struct waiter *waiter, int64_t nanoseconds)
{
	struct hub_timeout shield, limit;
	int error = 0;

	hub_shield_start(&shield);
	hub_timeout_start(&limit, nanoseconds);
	do
		error = hub_event_wait(&waiter->woken) == 0 ? 0 : errno;
	while (error == EINTR);
	hub_timeout_stop(&limit);
	hub_shield_stop(&shield);
	return error;
}

/* Whether the calling code is the allocator's or the hub's, which never suspend while they hold a
 * mutex. */
static bool
is_indivisible(const void *caller)
{
	Dl_info of_caller, of_malloc, of_hub;

	return caller != NULL && dladdr(caller, &of_caller) != 0 &&
	       ((dladdr((const void *)(uintptr_t)malloc, &of_malloc) != 0 &&
			of_malloc.dli_fbase == of_caller.dli_fbase) ||
		       (dladdr((const void *)(uintptr_t)hub_sleep, &of_hub) != 0 &&
			       of_hub.dli_fbase == of_caller.dli_fbase));
}

/* One attempt. If *is_done, returns the result of locking. If not, returns what precedes the next
 * attempt: 0, a wait for an unlock by this thread; EAGAIN, nothing. */
static int
try_on_coroutine(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *end,
	const void *caller, bool *is_done)
{
	int64_t began = 0;
	int result;

	*is_done = true;
	if (counts_owner(mutex) && is_held_here(mutex)) {
		/* The caller owns it: libc locks it once more, or returns EDEADLK. */
		if (!is_anothers(mutex))
			return REAL(pthread_mutex_lock)(mutex);
		*is_done = false;
		return 0;
	}
	result = REAL(pthread_mutex_trylock)(mutex);
	if (result != EBUSY)
		return owner_set(mutex, result);
	if (is_held_here(mutex)) {
		*is_done = false;
		return 0;
	}
	/* Another thread holds it. If the host blocked, no thread that is a coroutine could go on,
	 * and the other thread may wait for one of them: so the host tries every millisecond. */
	if (thread_is_host && !hub_is_vforked() && end == NULL && !is_indivisible(caller)) {
		struct hub_timeout shield;

		hub_shield_start(&shield);
		hub_sleep(HUB_MILLISECOND);
		hub_shield_stop(&shield);
		*is_done = false;
		return EAGAIN;
	}
	if (atomic_load(&patch_active) & PATCH_REPORTED)
		began = report_begin();
	result = end == NULL ? REAL(pthread_mutex_lock)(mutex)
			     : REAL(pthread_mutex_clocklock)(mutex, clock, end);
	if (began != 0)
		report_end(CALL_pthread_mutex_lock, began);
	return owner_set(mutex, result);
}

/* Locks the mutex, and waits for it until end; end NULL: as long as it takes. Returns 0 or an
 * errno. */
static int
lock_until(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *end)
{
	const void *caller = patch_caller;
	struct waiter waiter = {.mutex = mutex};
	bool is_done, is_waiting = false;
	int error = errno, result;

	for (;;) {
		result = try_on_coroutine(mutex, clock, end, caller, &is_done);
		if (is_done)
			break;
		if (result == EAGAIN)
			continue;
		if (hub_is_vforked())
			return end == NULL ? REAL(pthread_mutex_lock)(mutex)
					   : REAL(pthread_mutex_clocklock)(mutex, clock, end);
		if (end != NULL && !patch_is_time(end)) {
			result = EINVAL;
			break;
		}
		if (!is_waiting)
			waiter_enter(&waiter);
		is_waiting = true;
		hub_event_clear(&waiter.woken);
		result = wait_woken(
			&waiter, end == NULL ? HUB_FOREVER : patch_time_left(clock, end));
		if (result != 0)
			break;
	}
	if (is_waiting)
		waiter_leave(&waiter);
	/* The waiter was woken, but does not lock the mutex: the next waiter is woken in its
	 * place. */
	if (result != 0 && waiter.woken.is_set)
		wake_first(mutex);
	errno = error;
	return result;
}

int
patch_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	return lock_until(mutex, CLOCK_REALTIME, NULL);
}

int
patch_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *end)
{
	return lock_until(mutex, CLOCK_REALTIME, end);
}

int
patch_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *end)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	return lock_until(mutex, clock, end);
}

int
patch_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	if (counts_owner(mutex) && is_held_here(mutex)) {
		if (is_anothers(mutex))
			return EBUSY;
		return REAL(pthread_mutex_trylock)(mutex);
	}
	return owner_set(mutex, REAL(pthread_mutex_trylock)(mutex));
}

int
patch_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	bool is_released = true;
	int result;

	if (__builtin_expect(noted == 0, 1))
		return REAL(pthread_mutex_unlock)(mutex);
	if (counts_owner(mutex) && is_held_here(mutex)) {
		if (is_anothers(mutex))
			return EPERM;
		is_released = (mutex->__data.__kind & KIND_MASK) != PTHREAD_MUTEX_RECURSIVE_NP ||
			      mutex->__data.__count == 1;
		if (is_released)
			owner_clear(mutex);
	}
	result = REAL(pthread_mutex_unlock)(mutex);
	/* Another thread may have destroyed the mutex by now: only its address is used. */
	if (result == 0 && is_released)
		wake_first(mutex);
	return result;
}

/* ---- children ---- */

/* In a forked child, which has none of the parent's coroutines; to libc its mutexes belong to
 * another thread. */
static void
forget(void)
{
	this_thread = 0;
	for (int i = 0; i < BUCKETS; i++) {
		tables.waiters[i] = NULL;
		while (tables.owners[i] != NULL)
			owner_clear(tables.owners[i]->mutex);
	}
	noted = 0;
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, forget);
}
