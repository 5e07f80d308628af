/* pthread_create as a coroutine, where that was asked for: all that it makes are coroutines of one kernel thread, the
 * host. A thread's name to the program, its pthread_t, is the address of what is known of it here; whoever is given one
 * looks whether it is ours, and passes it on to libc if not.
 *
 * What coroutines of one thread cannot have of their own: variables of _Thread_local, the signal mask, priorities. */
#include <dlfcn.h>
#include <errno.h>
#include <hubbub/coroutine.h>
#include <hubbub/sync/local.h>
#include <hubbub/thread/mailbox.h>
#include <hubbub/thread/shared.h>
#include <hubbub/timeout.h>
#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/patch/patch_priv.h"

#define NAME_SIZE 16 /* of pthread_setname_np(3) */
#define ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS
#define PAUSE_FIRST HUB_MILLISECOND
#define PAUSE_MOST (16 * HUB_MILLISECOND)

/* What pthread_cleanup_push of C keeps on the stack, a __pthread_unwind_buf_t: where to jump, and room for libc. */
struct cleanup {
	struct {
		__jmp_buf registers;
		int mask_was_saved;
	} jump;
	struct cleanup *outer;
	void *room[3];
};
_Static_assert(sizeof(struct cleanup) == sizeof(__pthread_unwind_buf_t), "glibc's layout");

struct thread {
	struct list link; /* in threads */
	struct hub_message message;
	void *(*body)(void *argument);
	void *argument;
	void *result;
	struct hub_coroutine *coroutine; /* the host's thread alone uses it; NULL unless it runs */
	struct hub_shared_event *ended;
	jmp_buf exit;
	bool has_ended;   /* this and what follows under the mutex */
	bool is_detached; /* nobody joins it */
	bool is_joined;   /* somebody does */
	atomic_bool is_cancelled;
	atomic_bool is_deaf; /* PTHREAD_CANCEL_DISABLE */
	struct cleanup *cleanup;
	char name[NAME_SIZE];
	void *values[]; /* PTHREAD_KEYS_MAX of them */
};

/* A kill, on its way to the host. */
struct cancel {
	struct hub_message message;
	struct thread *thread;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* taken as libc has it */
static struct list threads = {&threads, &threads};
static unsigned living;
static bool main_has_exited;

static pthread_t host;
static struct hub_mailbox *host_mailbox;
static pthread_once_t host_once = PTHREAD_ONCE_INIT;
static int host_error;
static size_t host_stack_size;
static struct hub_shared_event *host_is_ready;
static _Thread_local bool is_host;
static int key;

/* Keys of pthread_key_create that have a value in each of ours. */
static struct {
	atomic_bool is_ours;
	void (*destroy)(void *value);
} keys[PTHREAD_KEYS_MAX];

static void
lock(void)
{
	REAL(pthread_mutex_lock)(&mutex);
}

static void
unlock(void)
{
	REAL(pthread_mutex_unlock)(&mutex);
}

static bool
is_asked_for(void)
{
	return atomic_load_explicit(&patch_active, memory_order_relaxed) & HUB_PATCH_CREATE;
}

/* The mutex is locked. NULL for one of libc's. */
static struct thread *
thread_of(pthread_t name)
{
	LIST_EACH (link, &threads) {
		struct thread *thread = CONTAINER_OF(link, struct thread, link);

		if ((pthread_t)thread == name)
			return thread;
	}
	return NULL;
}

/* The one that runs, or NULL. */
static struct thread *
this_one(void)
{
	return is_host && hub_current() != NULL ? hub_local_get(key) : NULL;
}

/* Libc's thread for a name, for calls that coroutines cannot have of their own. */
static pthread_t
kernel_thread(pthread_t name)
{
	struct thread *thread;

	lock();
	thread = thread_of(name);
	unlock();
	return thread != NULL ? host : name;
}

/* The mutex is locked. */
static void
thread_free(struct thread *thread)
{
	list_remove(&thread->link);
	hub_shared_event_free(thread->ended);
	free(thread);
}

/* ---- the host ---- */

static void
destroy_values(struct thread *thread)
{
	bool is_left = true;

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

static void *
run_thread(void *argument)
{
	struct thread *thread = argument;
	bool is_last;

	hub_local_set(key, thread);
	/* Killed before, it would never run, and nobody who joins it would be told. */
	thread->coroutine = hub_current();
	if (_setjmp(thread->exit) == 0)
		thread->result = thread->body(thread->argument);
	/* A child that this one has forked has no other thread. */
	if (!is_host)
		exit(0);
	destroy_values(thread);
	hub_local_set(key, NULL);
	lock();
	thread->coroutine = NULL;
	thread->has_ended = true;
	is_last = --living == 0 && main_has_exited;
	if (thread->is_detached)
		thread_free(thread);
	else
		hub_shared_event_set(thread->ended);
	unlock();
	/* As libc: the process ends with its last thread. */
	if (is_last)
		exit(0);
	return NULL;
}

/* In the host, between coroutines. One that gets no stack ends the process: pthread_create has said that it runs. */
static void
start_thread(struct hub_message *message)
{
	struct thread *thread = CONTAINER_OF(message, struct thread, message);
	struct hub_coroutine *coroutine;

	coroutine = hub_spawn(run_thread, thread);
	if (coroutine == NULL) {
		static const char line[] =
			"hubbub-patch: no memory for the stack of a thread that pthread_create "
			"has promised; HUBBUB_STACK_SIZE makes stacks smaller\n";

		kernel_write(STDERR_FILENO, line, sizeof line - 1);
		abort();
	}
	hub_set_name(coroutine, thread->name);
	hub_detach(coroutine);
}

static void *
host_body(void *argument)
{
	host_mailbox = hub_mailbox();
	hub_shared_event_set(host_is_ready);
	for (;;)
		hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
run_host(void *argument)
{
	struct hub_options options = {.stack_size = host_stack_size};

	pthread_setname_np(host = REAL(pthread_self)(), "patch host");
	is_host = true;
	if (hub_run_with(&options, host_body, NULL, NULL) != 0) {
		host_error = errno == ENOMEM ? ENOMEM : EAGAIN;
		hub_shared_event_set(host_is_ready);
	}
	return argument;
}

/* As large as threads' are, unless HUBBUB_STACK_SIZE says otherwise: only what is touched takes memory. */
static void
start_host(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	key = hub_local_new(NULL);
	host_is_ready = hub_shared_event_new();
	if (key < 0 || host_is_ready == NULL) {
		host_error = EAGAIN;
		return;
	}
	if (getenv("HUBBUB_STACK_SIZE") == NULL && pthread_getattr_default_np(&attributes) == 0)
		pthread_attr_getstacksize(&attributes, &host_stack_size);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	host_error = REAL(pthread_create)(&thread, &attributes, run_host, NULL);
	pthread_attr_destroy(&attributes);
	if (host_error == 0)
		hub_shared_event_wait(host_is_ready);
}

/* ---- creating ---- */

/* The host's stacks are all of one size; who asks for more gets a thread of libc's. */
static bool
fits(const pthread_attr_t *attributes)
{
	size_t size;

	return attributes == NULL || pthread_attr_getstacksize(attributes, &size) != 0 ||
	       host_stack_size == 0 || size <= host_stack_size;
}

int
patch_pthread_create(
	pthread_t *name, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
	struct thread *thread;
	int detached = PTHREAD_CREATE_JOINABLE;

	/* The hub's own threads are made to block. */
	if (!is_asked_for() || kernel_is_calling())
		return REAL(pthread_create)(name, attributes, body, argument);
	pthread_once(&host_once, start_host);
	if (host_error != 0)
		return host_error;
	if (!fits(attributes))
		return REAL(pthread_create)(name, attributes, body, argument);
	thread = calloc(1, sizeof *thread + PTHREAD_KEYS_MAX * sizeof thread->values[0]);
	if (thread == NULL || (thread->ended = hub_shared_event_new()) == NULL) {
		free(thread);
		return EAGAIN;
	}
	if (attributes != NULL)
		pthread_attr_getdetachstate(attributes, &detached);
	thread->is_detached = detached == PTHREAD_CREATE_DETACHED;
	thread->body = body;
	thread->argument = argument;
	thread->message.deliver = start_thread;
	strcpy(thread->name, "thread");
	lock();
	list_append(&threads, &thread->link);
	living++;
	/* Before it can run, and be gone. */
	*name = (pthread_t)thread;
	unlock();
	hub_mailbox_post(host_mailbox, &thread->message);
	return 0;
}

pthread_t
patch_pthread_self(void)
{
	struct thread *thread = this_one();

	return thread != NULL ? (pthread_t)thread : REAL(pthread_self)();
}

/* ---- leaving: handlers of pthread_cleanup_push, innermost first ---- */

/* To the innermost handler, which comes back by __pthread_unwind_next; to the thread's end after the last. */
static _Noreturn void
unwind(struct thread *thread)
{
	struct cleanup *cleanup = thread->cleanup;

	if (cleanup == NULL)
		_longjmp(thread->exit, 1);
	thread->cleanup = cleanup->outer;
	_longjmp((struct __jmp_buf_tag *)(void *)cleanup, 1);
}

PATCH_EXPORT void
__pthread_register_cancel(__pthread_unwind_buf_t *buffer)
{
	struct thread *thread = this_one();
	struct cleanup *cleanup = (struct cleanup *)(void *)buffer;

	if (thread == NULL) {
		REAL(register_cancel)(buffer);
		return;
	}
	cleanup->outer = thread->cleanup;
	thread->cleanup = cleanup;
}

PATCH_EXPORT void
__pthread_unregister_cancel(__pthread_unwind_buf_t *buffer)
{
	struct thread *thread = this_one();

	if (thread == NULL)
		REAL(unregister_cancel)(buffer);
	else
		thread->cleanup = ((struct cleanup *)(void *)buffer)->outer;
}

PATCH_EXPORT void
__pthread_unwind_next(__pthread_unwind_buf_t *buffer)
{
	struct thread *thread = this_one();

	if (thread != NULL)
		unwind(thread);
	REAL(unwind_next)(buffer);
	__builtin_unreachable();
}

PATCH_EXPORT void
pthread_exit(void *result)
{
	struct thread *thread = this_one();

	if (thread != NULL) {
		thread->result = result;
		atomic_store(&thread->is_deaf, true);
		unwind(thread);
	}
	if (getpid() == gettid()) {
		lock();
		main_has_exited = true;
		if (is_asked_for() && living == 0 && host_mailbox != NULL) {
			unlock();
			exit(0);
		}
		unlock();
	}
	REAL(pthread_exit)(result);
	__builtin_unreachable();
}

/* ---- joining ---- */

/* One of libc's threads, on a coroutine: there is nothing to wait for, so it is looked at now and then. */
static int
join_kernel_thread(pthread_t name, void **result)
{
	int64_t pause = PAUSE_FIRST;
	int error;

	if (!patch_suspends(HUB_PATCH_THREAD))
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

/* Makes the caller the one who joins it. Returns 0, or the answer. */
static int
join_begin(struct thread *thread)
{
	if (thread->is_detached || thread->is_joined)
		return EINVAL;
	if (thread == this_one())
		return EDEADLK;
	thread->is_joined = true;
	return 0;
}

static void
join_end(struct thread *thread, void **result)
{
	if (result != NULL)
		*result = thread->result;
	lock();
	thread_free(thread);
	unlock();
}

int
patch_pthread_join(pthread_t name, void **result)
{
	struct hub_timeout shield;
	struct thread *thread;
	int error = 0;

	lock();
	thread = thread_of(name);
	if (thread != NULL)
		error = join_begin(thread);
	unlock();
	if (thread == NULL)
		return join_kernel_thread(name, result);
	if (error != 0)
		return error;
	/* A cancellation point; other kills do not make it fail, for nobody expects that. */
	if (hub_can_wait() && this_one() == NULL) {
		hub_shield_start(&shield);
		hub_shared_event_wait(thread->ended);
		hub_shield_stop(&shield);
	} else if (hub_shared_event_wait(thread->ended) != 0) {
		lock();
		thread->is_joined = false;
		unlock();
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

	lock();
	thread = thread_of(name);
	if (thread != NULL)
		error = thread->has_ended ? join_begin(thread) : EBUSY;
	unlock();
	if (thread == NULL)
		return REAL(pthread_tryjoin_np)(name, result);
	if (error == 0)
		join_end(thread, result);
	return error;
}

static int
join_until(pthread_t name, void **result, clockid_t clock, const struct timespec *end)
{
	struct timespec pause = {0, PAUSE_FIRST};
	int error;

	if (end == NULL)
		return pthread_join(name, result);
	if (!patch_is_valid(end))
		return EINVAL;
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
	bool is_ours;

	lock();
	is_ours = thread_of(name) != NULL;
	unlock();
	if (!is_ours && !patch_suspends(HUB_PATCH_THREAD))
		return REAL(pthread_timedjoin_np)(name, result, end);
	return join_until(name, result, CLOCK_REALTIME, end);
}

int
patch_pthread_clockjoin_np(
	pthread_t name, void **result, clockid_t clock, const struct timespec *end)
{
	bool is_ours;

	lock();
	is_ours = thread_of(name) != NULL;
	unlock();
	if (!is_ours && !patch_suspends(HUB_PATCH_THREAD))
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

	lock();
	thread = thread_of(name);
	if (thread == NULL)
		error = -1;
	else if (thread->is_detached || thread->is_joined)
		error = EINVAL;
	else if (thread->has_ended)
		thread_free(thread);
	else
		thread->is_detached = true;
	unlock();
	return error == -1 ? REAL(pthread_detach)(name) : error;
}

/* ---- ending others ---- */

bool
create_is_thread(void)
{
	return this_one() != NULL;
}

bool
create_is_host(void)
{
	return is_host;
}

bool
create_is_cancelled(void)
{
	struct thread *thread = this_one();

	return thread != NULL && atomic_load(&thread->is_cancelled) &&
	       !atomic_load(&thread->is_deaf);
}

int
patch_pthread_setcancelstate(int state, int *before)
{
	struct thread *thread = this_one();
	bool was_deaf;

	if (thread == NULL || (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE))
		return REAL(pthread_setcancelstate)(state, before);
	was_deaf = atomic_exchange(&thread->is_deaf, state == PTHREAD_CANCEL_DISABLE);
	if (before != NULL)
		*before = was_deaf ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
	return 0;
}

PATCH_EXPORT void
pthread_testcancel(void)
{
	if (this_one() == NULL)
		REAL(pthread_testcancel)();
	else if (create_is_cancelled())
		pthread_exit(PTHREAD_CANCELED);
}

static void
deliver_cancel(struct hub_message *message)
{
	struct cancel *cancel = CONTAINER_OF(message, struct cancel, message);

	lock();
	/* It may have ended meanwhile, and be another. */
	if (thread_of((pthread_t)cancel->thread) != NULL && cancel->thread->coroutine != NULL &&
		atomic_load(&cancel->thread->is_cancelled) &&
		!atomic_load(&cancel->thread->is_deaf))
		hub_kill(cancel->thread->coroutine);
	unlock();
	free(cancel);
}

int
patch_pthread_cancel(pthread_t name)
{
	struct cancel *cancel;
	struct thread *thread;

	lock();
	thread = thread_of(name);
	if (thread == NULL) {
		unlock();
		return REAL(pthread_cancel)(name);
	}
	atomic_store(&thread->is_cancelled, true);
	unlock();
	cancel = malloc(sizeof *cancel);
	if (cancel == NULL)
		return ENOMEM;
	cancel->thread = thread;
	cancel->message.deliver = deliver_cancel;
	hub_mailbox_post(host_mailbox, &cancel->message);
	return 0;
}

int
patch_pthread_kill(pthread_t name, int number)
{
	return REAL(pthread_kill)(kernel_thread(name), number);
}

/* ---- what is the host's ---- */

int
patch_pthread_setname_np(pthread_t name, const char *text)
{
	struct thread *thread;

	if (strlen(text) >= NAME_SIZE)
		return ERANGE;
	lock();
	thread = thread_of(name);
	if (thread != NULL) {
		strcpy(thread->name, text);
		if (thread->coroutine != NULL && is_host)
			hub_set_name(thread->coroutine, text);
	}
	unlock();
	return thread != NULL ? 0 : REAL(pthread_setname_np)(name, text);
}

int
patch_pthread_getname_np(pthread_t name, char *text, size_t size)
{
	struct thread *thread;
	int error = 0;

	lock();
	thread = thread_of(name);
	if (thread != NULL && size < NAME_SIZE)
		error = ERANGE;
	else if (thread != NULL)
		strcpy(text, thread->name);
	unlock();
	return thread != NULL ? error : REAL(pthread_getname_np)(name, text, size);
}

int
patch_pthread_getattr_np(pthread_t name, pthread_attr_t *attributes)
{
	return REAL(pthread_getattr_np)(kernel_thread(name), attributes);
}

int
patch_pthread_getcpuclockid(pthread_t name, clockid_t *clock)
{
	return REAL(pthread_getcpuclockid)(kernel_thread(name), clock);
}

int
patch_pthread_setaffinity_np(pthread_t name, size_t size, const cpu_set_t *cpus)
{
	return REAL(pthread_setaffinity_np)(kernel_thread(name), size, cpus);
}

int
patch_pthread_getaffinity_np(pthread_t name, size_t size, cpu_set_t *cpus)
{
	return REAL(pthread_getaffinity_np)(kernel_thread(name), size, cpus);
}

int
patch_pthread_setschedparam(pthread_t name, int policy, const struct sched_param *parameters)
{
	return REAL(pthread_setschedparam)(kernel_thread(name), policy, parameters);
}

int
patch_pthread_getschedparam(pthread_t name, int *policy, struct sched_param *parameters)
{
	return REAL(pthread_getschedparam)(kernel_thread(name), policy, parameters);
}

int
patch_pthread_setschedprio(pthread_t name, int priority)
{
	return REAL(pthread_setschedprio)(kernel_thread(name), priority);
}

int
patch_pthread_sigqueue(pthread_t name, int number, const union sigval value)
{
	return REAL(pthread_sigqueue)(kernel_thread(name), number, value);
}

/* ---- values by key ---- */

/* The allocator's and the hub's own keys are the kernel thread's, whatever runs on it. */
static bool
is_of_thread(void (*destroy)(void *))
{
	const char *name;
	void *address;
	Dl_info info;

	/* The program's free is the allocator's, and a usual destructor. */
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
		lock();
		LIST_EACH (link, &threads)
			CONTAINER_OF(link, struct thread, link)->values[gone] = NULL;
		unlock();
	}
	return REAL(pthread_key_delete)(gone);
}

void *
patch_pthread_getspecific(pthread_key_t wanted)
{
	struct thread *thread = is_host && wanted < PTHREAD_KEYS_MAX ? this_one() : NULL;

	return thread != NULL && keys[wanted].is_ours ? thread->values[wanted]
						      : REAL(pthread_getspecific)(wanted);
}

int
patch_pthread_setspecific(pthread_key_t wanted, const void *value)
{
	struct thread *thread = is_host && wanted < PTHREAD_KEYS_MAX ? this_one() : NULL;

	if (thread == NULL || !keys[wanted].is_ours)
		return REAL(pthread_setspecific)(wanted, value);
	thread->values[wanted] = (void *)(uintptr_t)value;
	return 0;
}

/* A child has the thread that forked and no other. */
static void
forget(void)
{
	struct thread *thread = this_one();

	for (int i = 0; thread != NULL && i < PTHREAD_KEYS_MAX; i++)
		if (thread->values[i] != NULL && keys[i].is_ours)
			REAL(pthread_setspecific)((pthread_key_t)i, thread->values[i]);
	pthread_mutex_init(&mutex, NULL);
	list_init(&threads);
	living = 0;
	host_mailbox = NULL;
	host_once = (pthread_once_t)PTHREAD_ONCE_INIT;
	host_error = 0;
	is_host = false;
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, forget);
}
