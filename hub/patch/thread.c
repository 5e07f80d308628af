/* The list of threads that are coroutines, and the calls that are carried out on their host. A
 * thread's name to the program, its pthread_t, is the address of its struct thread. A call that is
 * given a name looks for it in the list, under the mutex, and passes it on to libc if it is not
 * there. */
#include "hub/patch/thread_priv.h"

#include <errno.h>
#include <hubbub/local.h>
#include <stdlib.h>
#include <string.h>

#include "hub/patch/calls_priv.h"

struct thread_host thread_host;
_Thread_local bool thread_is_host;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct list threads = {&threads, &threads};

void
thread_lock(void)
{
	REAL(pthread_mutex_lock)(&mutex);
}

void
thread_unlock(void)
{
	REAL(pthread_mutex_unlock)(&mutex);
}

void
thread_add(struct thread *thread)
{
	list_append(&threads, &thread->link);
}

struct thread *
thread_find(pthread_t name)
{
	LIST_EACH (link, &threads) {
		struct thread *thread = CONTAINER_OF(link, struct thread, link);

		if ((pthread_t)thread == name)
			return thread;
	}
	return NULL;
}

/* In a forked child: the thread that called fork, if that was a coroutine. */
static _Thread_local struct thread *inherited;

struct thread *
thread_inherited(void)
{
	return inherited;
}

struct thread *
thread_this(void)
{
	return thread_is_host && hub_current() != NULL ? hub_local_get(thread_host.key) : NULL;
}

pthread_t
thread_kernel(pthread_t name)
{
	struct thread *thread;

	thread_lock();
	thread = thread_find(name);
	thread_unlock();
	return thread != NULL ? thread->kernel : name;
}

void
thread_free(struct thread *thread)
{
	list_remove(&thread->link);
	hub_shared_event_free(thread->ended);
	free(thread);
}

void
thread_clear_value(pthread_key_t key)
{
	LIST_EACH (link, &threads)
		CONTAINER_OF(link, struct thread, link)->values[key] = NULL;
}

bool
thread_common_mask(sigset_t *common)
{
	bool is_any = false;

	sigfillset(common);
	thread_lock();
	LIST_EACH (link, &threads) {
		const struct thread *thread = CONTAINER_OF(link, struct thread, link);

		if (thread->has_ended)
			continue;
		sigandset(common, common, &thread->mask);
		is_any = true;
	}
	thread_unlock();
	return is_any;
}

bool
thread_is_cancelled(void)
{
	struct thread *thread = thread_this();

	return thread != NULL && atomic_load(&thread->is_cancelled) &&
	       !atomic_load(&thread->is_deaf);
}

void
thread_forget(struct thread *forked)
{
	pthread_mutex_init(&mutex, NULL);
	list_init(&threads);
	inherited = forked != NULL ? forked : inherited;
	if (inherited != NULL) {
		inherited->kernel = REAL(pthread_self)();
		inherited->coroutine = NULL;
		thread_add(inherited);
	}
	thread_host.mailbox = NULL;
	thread_is_host = false;
}

/* ---- calls on the host ---- */

int
patch_pthread_setname_np(pthread_t name, const char *text)
{
	struct thread *thread;

	if (strlen(text) >= THREAD_NAME_SIZE)
		return ERANGE;
	thread_lock();
	thread = thread_find(name);
	if (thread != NULL) {
		strcpy(thread->name, text);
		/* Only on the host: a coroutine's name is changed by its own hub's thread alone. */
		if (thread->coroutine != NULL && thread_is_host)
			hub_set_name(thread->coroutine, text);
	}
	thread_unlock();
	return thread != NULL ? 0 : REAL(pthread_setname_np)(name, text);
}

int
patch_pthread_getname_np(pthread_t name, char *text, size_t size)
{
	struct thread *thread;
	int error = 0;

	thread_lock();
	thread = thread_find(name);
	if (thread != NULL && size < THREAD_NAME_SIZE)
		error = ERANGE;
	else if (thread != NULL)
		strcpy(text, thread->name);
	thread_unlock();
	return thread != NULL ? error : REAL(pthread_getname_np)(name, text, size);
}

int
patch_pthread_getattr_np(pthread_t name, pthread_attr_t *attributes)
{
	return REAL(pthread_getattr_np)(thread_kernel(name), attributes);
}

int
patch_pthread_getcpuclockid(pthread_t name, clockid_t *clock)
{
	return REAL(pthread_getcpuclockid)(thread_kernel(name), clock);
}

int
patch_pthread_setaffinity_np(pthread_t name, size_t size, const cpu_set_t *cpus)
{
	return REAL(pthread_setaffinity_np)(thread_kernel(name), size, cpus);
}

int
patch_pthread_getaffinity_np(pthread_t name, size_t size, cpu_set_t *cpus)
{
	return REAL(pthread_getaffinity_np)(thread_kernel(name), size, cpus);
}

int
patch_pthread_setschedparam(pthread_t name, int policy, const struct sched_param *parameters)
{
	return REAL(pthread_setschedparam)(thread_kernel(name), policy, parameters);
}

int
patch_pthread_getschedparam(pthread_t name, int *policy, struct sched_param *parameters)
{
	return REAL(pthread_getschedparam)(thread_kernel(name), policy, parameters);
}

int
patch_pthread_setschedprio(pthread_t name, int priority)
{
	return REAL(pthread_setschedprio)(thread_kernel(name), priority);
}
