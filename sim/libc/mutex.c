/* Libc's name of a mutex's lock. Fibers share a thread, which would wait for itself: so a fiber
 * pauses until the one that holds the mutex has given it back. A mutex that another real thread
 * holds is waited for as ever. */
#include <pthread.h>
#include <unistd.h>

#include "sim/libc/before_priv.h"
#include "sim/machine/fiber_priv.h"

/* Whether nobody in this thread holds it. */
static bool
is_free(void *object)
{
	const pthread_mutex_t *mutex = object;

	return mutex->__data.__owner != gettid();
}

static int
lock_really(pthread_mutex_t *mutex)
{
	static __typeof__(&pthread_mutex_lock) lock;

	if (lock == NULL)
		lock = LIBC(pthread_mutex_lock);
	return lock(mutex);
}

EXPORT int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
	struct pause until_free = {"a mutex", is_free, NULL, mutex};

	if (!world_exists())
		return lock_really(mutex);
	while (pthread_mutex_trylock(mutex) != 0) {
		if (is_free(mutex))
			return lock_really(mutex);
		fiber_pause(&until_free);
	}
	return 0;
}
