/* C11's threads. In glibc mtx_t, cnd_t, thrd_t and once_flag are the types of POSIX threads under
 * other names: so each call is that of POSIX, with its error translated. */
#include <errno.h>
#include <threads.h>

#include "hub/patch/patch_priv.h"

static int
answer(int error)
{
	switch (error) {
	case 0:
		return thrd_success;
	case ENOMEM:
		return thrd_nomem;
	case ETIMEDOUT:
		return thrd_timedout;
	case EBUSY:
		return thrd_busy;
	default:
		return thrd_error;
	}
}

static pthread_mutex_t *
mutex_of(mtx_t *mutex)
{
	return (pthread_mutex_t *)(void *)mutex;
}

static pthread_cond_t *
condition_of(cnd_t *condition)
{
	return (pthread_cond_t *)(void *)condition;
}

int
patch_mtx_lock(mtx_t *mutex)
{
	return answer(patch_pthread_mutex_lock(mutex_of(mutex)));
}

int
patch_mtx_trylock(mtx_t *mutex)
{
	return answer(patch_pthread_mutex_trylock(mutex_of(mutex)));
}

int
patch_mtx_timedlock(mtx_t *mutex, const struct timespec *end)
{
	return answer(patch_pthread_mutex_timedlock(mutex_of(mutex), end));
}

int
patch_mtx_unlock(mtx_t *mutex)
{
	return answer(patch_pthread_mutex_unlock(mutex_of(mutex)));
}

int
patch_cnd_wait(cnd_t *condition, mtx_t *mutex)
{
	return answer(patch_pthread_cond_wait(condition_of(condition), mutex_of(mutex)));
}

int
patch_cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *end)
{
	return answer(patch_pthread_cond_timedwait(condition_of(condition), mutex_of(mutex), end));
}

int
patch_cnd_signal(cnd_t *condition)
{
	return answer(patch_pthread_cond_signal(condition_of(condition)));
}

int
patch_cnd_broadcast(cnd_t *condition)
{
	return answer(patch_pthread_cond_broadcast(condition_of(condition)));
}

int
patch_thrd_join(thrd_t thread, int *result)
{
	void *returned = NULL;
	int error = patch_pthread_join(thread, &returned);

	if (error == 0 && result != NULL)
		*result = (int)(intptr_t)returned;
	return answer(error);
}

void
patch_thrd_yield(void)
{
	/* Asked here, since the table's WAITS has no form for a function without a result. */
	if (patch_suspends(HUB_PATCH_THREAD))
		patch_sched_yield();
	else
		REAL(thrd_yield)();
}

void
patch_call_once(once_flag *flag, void (*routine)(void))
{
	if (patch_suspends(HUB_PATCH_THREAD))
		patch_pthread_once((pthread_once_t *)(void *)flag, routine);
	else
		REAL(call_once)(flag, routine);
}
