/* Joining: threads that are coroutines, from any thread; and threads of libc, from a coroutine, by
 * trying every 1 to 16 ms. is_joined, set under the threads' mutex, gives a thread to one
 * joiner. */
#include <errno.h>
#include <hubbub/fork.h>
#include <hubbub/timeout.h>

#include "hub/patch/patch_priv.h"
#include "hub/patch/thread_priv.h"
#include "hub/patch/time_priv.h"

#define PAUSE_FIRST HUB_MILLISECOND
#define PAUSE_MOST (16 * HUB_MILLISECOND)

/* Joins a thread of libc. Its end wakes no coroutine, so a coroutine tries again and again. */
static int
join_kernel_thread(pthread_t name, void **result)
{
	int64_t pause = PAUSE_FIRST;
	int error;

	if (!patch_suspends(HUB_PATCH_THREAD) || hub_is_vforked())
		return REAL(pthread_join)(name, result);
	while ((error = REAL(pthread_tryjoin_np)(name, result)) == EBUSY) {
		struct hub_timeout shield;

		hub_shield_start(&shield);
		hub_sleep(pause);
		hub_shield_stop(&shield);
		if (pause < PAUSE_MOST)
			pause *= 2;
	}
	return error;
}

/* Makes the caller the thread's joiner; the mutex is locked. Returns 0, or the error of
 * pthread_join. */
static int
join_begin(struct thread *thread)
{
	if (thread->is_detached || thread->is_joined)
		return EINVAL;
	if (thread == thread_this())
		return EDEADLK;
	thread->is_joined = true;
	return 0;
}

static void
join_end(struct thread *thread, void **result)
{
	if (result != NULL)
		*result = thread->result;
	thread_lock();
	thread_free(thread);
	thread_unlock();
}

static bool
has_ended(const struct thread *thread)
{
	bool has_ended;

	thread_lock();
	has_ended = thread->has_ended;
	thread_unlock();
	return has_ended;
}

int
patch_pthread_join(pthread_t name, void **result)
{
	struct hub_timeout shield;
	struct thread *thread;
	int error = 0;

	thread_lock();
	thread = thread_find(name);
	if (thread != NULL)
		error = join_begin(thread);
	thread_unlock();
	if (thread == NULL)
		return join_kernel_thread(name, result);
	if (error != 0)
		return error;
	while (hub_is_vforked() && !has_ended(thread))
		REAL(nanosleep)(&(struct timespec){0, PAUSE_FIRST}, NULL);
	/* pthread_join is a cancellation point of a thread. For other coroutines the wait is
	 * shielded from kills, because no caller expects pthread_join to fail. */
	if (hub_can_wait() && thread_this() == NULL) {
		hub_shield_start(&shield);
		hub_shared_event_wait(thread->ended);
		hub_shield_stop(&shield);
	} else if (hub_shared_event_wait(thread->ended) != 0) {
		thread_lock();
		thread->is_joined = false;
		thread_unlock();
		pthread_exit(PTHREAD_CANCELED);
	}
	join_end(thread, result);
	return 0;
}

int
patch_pthread_tryjoin_np(pthread_t name, void **result)
{
	struct thread *thread;
	int error = 0;

	thread_lock();
	thread = thread_find(name);
	if (thread != NULL)
		error = thread->has_ended ? join_begin(thread) : EBUSY;
	thread_unlock();
	if (thread == NULL)
		return REAL(pthread_tryjoin_np)(name, result);
	if (error == 0)
		join_end(thread, result);
	return error;
}

static bool
is_ours(pthread_t name)
{
	bool is_found;

	thread_lock();
	is_found = thread_find(name) != NULL;
	thread_unlock();
	return is_found;
}

static int
join_until(pthread_t name, void **result, clockid_t clock, const struct timespec *end)
{
	struct timespec pause = {0, PAUSE_FIRST};
	int error;

	if (end == NULL)
		return pthread_join(name, result);
	if (!patch_is_time(end))
		return EINVAL;
	/* The plain names are the patched ones: a coroutine suspends, a thread sleeps. */
	while ((error = pthread_tryjoin_np(name, result)) == EBUSY) {
		if (patch_time_left(clock, end) == 0)
			return ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return error;
}

int
patch_pthread_timedjoin_np(pthread_t name, void **result, const struct timespec *end)
{
	if (!is_ours(name) && !patch_suspends(HUB_PATCH_THREAD))
		return REAL(pthread_timedjoin_np)(name, result, end);
	return join_until(name, result, CLOCK_REALTIME, end);
}

int
patch_pthread_clockjoin_np(
	pthread_t name, void **result, clockid_t clock, const struct timespec *end)
{
	if (!is_ours(name) && !patch_suspends(HUB_PATCH_THREAD))
		return REAL(pthread_clockjoin_np)(name, result, clock, end);
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	return join_until(name, result, clock, end);
}

int
patch_pthread_detach(pthread_t name)
{
	struct thread *thread;
	int error = 0;

	thread_lock();
	thread = thread_find(name);
	if (thread == NULL)
		error = -1;
	else if (thread->is_detached || thread->is_joined)
		error = EINVAL;
	else if (thread->has_ended)
		thread_free(thread);
	else
		thread->is_detached = true; /* it frees itself at its end */
	thread_unlock();
	return error == -1 ? REAL(pthread_detach)(name) : error;
}
