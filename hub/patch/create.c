/* pthread_create makes a coroutine, where that was asked for (HUB_PATCH_CREATE). These coroutines
 * all run on one thread of libc, the host, which is started with the first coroutine and never
 * ends.
 *
 * They share what belongs to the host: variables of _Thread_local, priorities, and half of a signal
 * mask (mask.c). */
#include <errno.h>
#include <hubbub/fork.h>
#include <hubbub/local.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/patch/create_priv.h"
#include "hub/patch/mask_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/specific_priv.h"

/* Guarded by the threads' mutex: how many threads live, and whether pthread_exit has ended the main
 * thread. */
static unsigned living;
static bool main_has_exited;

/* Set by start_host, once: the error that pthread_create returns ever after, and the size of
 * stacks, 0 for the hub's own. */
static pthread_once_t host_once = PTHREAD_ONCE_INIT;
static int host_error;
static size_t host_stack_size;
static struct hub_shared_event *host_is_ready;

static bool
is_asked_for(void)
{
	return atomic_load_explicit(&patch_active, memory_order_relaxed) & HUB_PATCH_CREATE;
}

/* ---- the host ---- */

static void *
run_thread(void *argument)
{
	struct thread *thread = argument;
	bool is_last;

	hub_local_set(thread_host.key, thread);
	/* Only set here: a thread that was cancelled before it had begun would never run, and its
	 * joiner would wait for ever. */
	thread_lock();
	thread->coroutine = hub_current();
	thread_unlock();
	mask_apply();
	if (_setjmp(thread->exit) == 0)
		thread->result = thread->body(thread->argument);
	/* Returned in a forked child: it has no host thread to go back to. */
	if (!thread_is_host)
		exit(0);
	specific_destroy(thread);
	hub_local_set(thread_host.key, NULL);
	thread_lock();
	thread->coroutine = NULL;
	thread->has_ended = true;
	is_last = --living == 0 && main_has_exited;
	if (thread->is_detached)
		thread_free(thread);
	else
		hub_shared_event_set(thread->ended);
	thread_unlock();
	mask_apply();
	/* As in libc the process ends with its last thread. */
	if (is_last)
		exit(0);
	return NULL;
}

/* In the host's hub, between coroutines: starts a thread. Without memory for the stack the process
 * ends, because pthread_create has already returned success. */
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

		log_bare(LOG_ERROR, line, sizeof line - 1);
		abort();
	}
	hub_set_name(coroutine, thread->name);
	hub_detach(coroutine);
}

static void *
host_body(void *argument)
{
	thread_host.mailbox = hub_mailbox();
	hub_shared_event_set(host_is_ready);
	for (;;)
		hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
run_host(void *argument)
{
	struct hub_options options = {.stack_size = host_stack_size};

	pthread_setname_np(thread_host.thread = REAL(pthread_self)(), "patch host");
	thread_is_host = true;
	if (hub_run_with(&options, host_body, NULL, NULL) != 0) {
		host_error = errno == ENOMEM ? ENOMEM : EAGAIN;
		hub_shared_event_set(host_is_ready);
	}
	return argument;
}

/* Starts the host. Its coroutines have stacks as large as libc's threads, unless HUBBUB_STACK_SIZE
 * says otherwise: only touched pages take memory. */
static void
start_host(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	thread_host.key = hub_local_new(NULL);
	host_is_ready = hub_shared_event_new();
	if (thread_host.key < 0 || host_is_ready == NULL) {
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

/* Whether a thread's stack is large enough: all of the host's have one size, and a thread that
 * needs more becomes a thread of libc. */
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

	/* The hub's own threads are there to block: they are libc's. */
	if (!is_asked_for() || bypass_is_on() || hub_is_inherited())
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
	thread->kernel = thread_host.thread;
	mask_inherit(thread);
	thread->body = body;
	thread->argument = argument;
	thread->message.deliver = start_thread;
	strcpy(thread->name, "thread");
	thread_lock();
	thread_add(thread);
	living++;
	/* Stored before the thread can run: it may have ended, and be freed, when this returns. */
	*name = (pthread_t)thread;
	thread_unlock();
	hub_mailbox_post(thread_host.mailbox, &thread->message);
	return 0;
}

pthread_t
patch_pthread_self(void)
{
	struct thread *thread = thread_this();

	if (thread == NULL)
		thread = thread_inherited();
	return thread != NULL ? (pthread_t)thread : REAL(pthread_self)();
}

void
create_main_exits(void)
{
	bool is_last;

	thread_lock();
	main_has_exited = true;
	is_last = is_asked_for() && living == 0 && thread_host.mailbox != NULL;
	thread_unlock();
	if (is_last)
		exit(0);
}

/* In a forked child, which has the thread that called fork and no other. */
static void
forget(void)
{
	struct thread *thread = thread_this();

	if (thread != NULL)
		specific_inherit(thread);
	thread_forget(thread);
	living = 0;
	host_once = (pthread_once_t)PTHREAD_ONCE_INIT;
	host_error = 0;
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, forget);
}
