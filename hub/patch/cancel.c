/* Leaving a thread that is a coroutine: by pthread_exit, and because another thread cancels it. The
 * handlers of pthread_cleanup_push are a list on the thread's stack; leaving jumps from handler to
 * handler, innermost first, and then to the end of the thread's outermost function. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/patch/calls_priv.h"
#include "hub/patch/create_priv.h"
#include "hub/patch/interrupt_priv.h"

/* A handler of C's pthread_cleanup_push: a __pthread_unwind_buf_t on the stack, which holds where
 * to jump and has room for libc, used here for the next outer handler. */
struct cleanup {
	struct {
		__jmp_buf registers;
		int mask_was_saved;
	} jump;
	struct cleanup *outer;
	void *room[3];
};
_Static_assert(sizeof(struct cleanup) == sizeof(__pthread_unwind_buf_t), "glibc's layout");

/* A cancellation on its way to the host. */
struct cancel {
	struct hub_message message;
	struct thread *thread;
};

/* ---- leaving: handlers of pthread_cleanup_push, innermost first ---- */

/* Jumps to the innermost handler, which comes back by __pthread_unwind_next; after the last
 * handler, to the thread's end. */
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
	struct thread *thread = thread_this();
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
	struct thread *thread = thread_this();

	if (thread == NULL)
		REAL(unregister_cancel)(buffer);
	else
		thread->cleanup = ((struct cleanup *)(void *)buffer)->outer;
}

PATCH_EXPORT void
__pthread_unwind_next(__pthread_unwind_buf_t *buffer)
{
	struct thread *thread = thread_this();

	if (thread != NULL)
		unwind(thread);
	REAL(unwind_next)(buffer);
	__builtin_unreachable();
}

/* Leaves the calling thread's body, as pthread_exit does. */
static _Noreturn void
leave(struct thread *thread, void *result)
{
	thread->result = result;
	atomic_store(&thread->is_deaf, true);
	/* The handlers may block: the kill must not make their calls fail. */
	hub_catch_kill();
	unwind(thread);
}

PATCH_EXPORT void
pthread_exit(void *result)
{
	struct thread *thread = thread_this();

	if (thread != NULL)
		leave(thread, result);
	/* On the main thread. */
	if (getpid() == gettid())
		create_main_exits();
	REAL(pthread_exit)(result);
	__builtin_unreachable();
}

/* ---- ending others ---- */

int
patch_pthread_setcancelstate(int state, int *before)
{
	struct thread *thread = thread_this();
	bool was_deaf;

	if (thread == NULL || (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE))
		return REAL(pthread_setcancelstate)(state, before);
	was_deaf = atomic_exchange(&thread->is_deaf, state == PTHREAD_CANCEL_DISABLE);
	/* A pending cancellation stays pending until PTHREAD_CANCEL_ENABLE. */
	if (state == PTHREAD_CANCEL_DISABLE)
		hub_catch_kill();
	if (before != NULL)
		*before = was_deaf ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
	return 0;
}

PATCH_EXPORT void
pthread_testcancel(void)
{
	if (thread_this() == NULL)
		REAL(pthread_testcancel)();
	else if (thread_is_cancelled())
		pthread_exit(PTHREAD_CANCELED);
}

static void
deliver_cancel(struct hub_message *message)
{
	struct cancel *cancel = CONTAINER_OF(message, struct cancel, message);

	thread_lock();
	/* The thread may have ended meanwhile, and its address be that of another. */
	if (thread_find((pthread_t)cancel->thread) != NULL && cancel->thread->coroutine != NULL &&
		atomic_load(&cancel->thread->is_cancelled) &&
		!atomic_load(&cancel->thread->is_deaf))
		hub_kill(cancel->thread->coroutine);
	thread_unlock();
	free(cancel);
}

int
patch_pthread_cancel(pthread_t name)
{
	struct cancel *cancel;
	struct thread *thread;

	thread_lock();
	thread = thread_find(name);
	/* In a forked child the thread that called fork is a thread of libc. */
	if (thread == NULL || thread == thread_inherited()) {
		name = thread != NULL ? thread->kernel : name;
		thread_unlock();
		return REAL(pthread_cancel)(name);
	}
	atomic_store(&thread->is_cancelled, true);
	thread_unlock();
	cancel = malloc(sizeof *cancel);
	if (cancel == NULL)
		return ENOMEM;
	cancel->thread = thread;
	cancel->message.deliver = deliver_cancel;
	hub_mailbox_post(thread_host.mailbox, &cancel->message);
	return 0;
}

/* Has the signal, whose handler runs on the host, interrupt the coroutine that is meant. Returns
 * the thread of libc that the signal is to be sent to. */
static pthread_t
aim_at(pthread_t name, int number)
{
	struct thread *thread;

	thread_lock();
	thread = thread_find(name);
	if (thread != NULL && thread->coroutine != NULL)
		interrupt_aim(number, thread->coroutine);
	name = thread != NULL ? thread->kernel : name;
	thread_unlock();
	return name;
}

int
patch_pthread_kill(pthread_t name, int number)
{
	return REAL(pthread_kill)(aim_at(name, number), number);
}

int
patch_pthread_sigqueue(pthread_t name, int number, const union sigval value)
{
	return REAL(pthread_sigqueue)(aim_at(name, number), number, value);
}
