/* Thread-specific values. Every thread that is a coroutine has its own, in its struct thread; only
 * the keys of the allocator and the hub keep one value for the host, whichever coroutine runs. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "hub/patch/calls_priv.h"
#include "hub/patch/specific_priv.h"

#define ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS

/* By key: whether each thread that is a coroutine has a value of its own, and the destructor. */
static struct {
	atomic_bool is_ours;
	void (*destroy)(void *value);
} keys[PTHREAD_KEYS_MAX];

void
specific_destroy(struct thread *thread)
{
	bool is_left = true;

	/* Destructors may set new values: as in libc there is another round then, of ROUNDS at
	 * most. */
	for (int round = 0; round < ROUNDS && is_left; round++) {
		is_left = false;
		for (int i = 0; i < PTHREAD_KEYS_MAX; i++) {
			void *value = thread->values[i];

			thread->values[i] = NULL;
			if (value == NULL || keys[i].destroy == NULL || !keys[i].is_ours)
				continue;
			keys[i].destroy(value);
			is_left = true;
		}
	}
}

void
specific_inherit(const struct thread *thread)
{
	for (int i = 0; i < PTHREAD_KEYS_MAX; i++)
		if (thread->values[i] != NULL && keys[i].is_ours)
			REAL(pthread_setspecific)((pthread_key_t)i, thread->values[i]);
}

/* Whether the key is the allocator's or the hub's, by the library that its destructor is in: then
 * its value is the host's. */
static bool
is_of_thread(void (*destroy)(void *))
{
	const char *name;
	void *address;
	Dl_info info;

	/* free is the allocator's, but also a usual destructor of the program's keys. */
	if (destroy == free)
		return false;
	memcpy(&address, &destroy, sizeof address);
	if (address == NULL || dladdr(address, &info) == 0 || info.dli_fname == NULL)
		return false;
	name = strrchr(info.dli_fname, '/');
	name = name != NULL ? name + 1 : info.dli_fname;
	return strncmp(name, "libjemalloc", 11) == 0 || strncmp(name, "libhubbub", 9) == 0;
}

int
patch_pthread_key_create(pthread_key_t *made, void (*destroy)(void *))
{
	int error = REAL(pthread_key_create)(made, destroy);

	if (error == 0 && *made < PTHREAD_KEYS_MAX) {
		keys[*made].destroy = destroy;
		keys[*made].is_ours = !is_of_thread(destroy);
	}
	return error;
}

int
patch_pthread_key_delete(pthread_key_t gone)
{
	if (gone < PTHREAD_KEYS_MAX && keys[gone].is_ours) {
		keys[gone].is_ours = false;
		thread_lock();
		thread_clear_value(gone);
		thread_unlock();
	}
	return REAL(pthread_key_delete)(gone);
}

void *
patch_pthread_getspecific(pthread_key_t wanted)
{
	struct thread *thread = thread_is_host && wanted < PTHREAD_KEYS_MAX ? thread_this() : NULL;

	return thread != NULL && keys[wanted].is_ours ? thread->values[wanted]
						      : REAL(pthread_getspecific)(wanted);
}

int
patch_pthread_setspecific(pthread_key_t wanted, const void *value)
{
	struct thread *thread = thread_is_host && wanted < PTHREAD_KEYS_MAX ? thread_this() : NULL;

	if (thread == NULL || !keys[wanted].is_ours)
		return REAL(pthread_setspecific)(wanted, value);
	thread->values[wanted] = (void *)(uintptr_t)value;
	return 0;
}
