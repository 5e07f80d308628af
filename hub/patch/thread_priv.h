/* Threads that are coroutines: what is known of each, and of the thread of libc that runs them all,
 * the host. */
#ifndef HUBBUB_PATCH_THREAD_PRIV_H
#define HUBBUB_PATCH_THREAD_PRIV_H

#include <hubbub/coroutine.h>
#include <hubbub/thread/mailbox.h>
#include <hubbub/thread/shared.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>

#include "hub/base/list.h"
#include "hub/patch/real_priv.h"

#define THREAD_NAME_SIZE 16 /* of pthread_setname_np(3) */

struct cleanup;

struct thread {
	struct list link;           /* in the list of all threads */
	struct hub_message message; /* starts it, in the host's hub */
	void *(*body)(void *argument);
	void *argument;
	void *result;                    /* for its joiner */
	pthread_t kernel;                /* the thread of libc that it runs on */
	struct hub_shared_event *ended;  /* set at its end, unless it is detached */
	jmp_buf exit;                    /* in its outermost function: pthread_exit ends there */
	sigset_t mask;                   /* its signal mask, as the program sees it */
	struct hub_coroutine *coroutine; /* this and what follows under the mutex; NULL unless it
					  * runs */
	bool has_ended;
	bool is_detached; /* no thread joins it */
	bool is_joined;   /* a thread is joining it */
	atomic_bool is_cancelled;
	atomic_bool is_deaf;     /* PTHREAD_CANCEL_DISABLE */
	struct cleanup *cleanup; /* the innermost handler of pthread_cleanup_push */
	char name[THREAD_NAME_SIZE];
	void *values[]; /* PTHREAD_KEYS_MAX of them, by key */
};

/* The thread of libc whose coroutines they are. */
struct thread_host {
	pthread_t thread;
	struct hub_mailbox *mailbox; /* NULL before it runs */
	int key;                     /* of hub_local: the struct thread of a coroutine */
};

extern struct thread_host thread_host;

/* Whether this thread is the host. */
extern _Thread_local bool thread_is_host;

/* The mutex that guards all structs thread. It is locked by libc's own call, which blocks, and held
 * for a few instructions. */
void thread_lock(void);
void thread_unlock(void);

/* Adds the thread to the list; the caller holds the mutex. */
void thread_add(struct thread *thread);

/* Frees the thread, which nothing uses any longer; the caller holds the mutex. */
void thread_free(struct thread *thread);

/* The thread of that name; NULL if it is a thread of libc. The caller holds the mutex. */
struct thread *thread_find(pthread_t name);

/* The thread that runs; NULL on a thread of libc. */
struct thread *thread_this(void);

/* In a forked child: the thread that called fork, if that was a coroutine. NULL elsewhere. */
struct thread *thread_inherited(void);

/* The thread of libc behind a name, for calls on what coroutines do not have of their own. */
pthread_t thread_kernel(pthread_t name);

/* Sets the key's value to NULL in all threads; the caller holds the mutex. */
void thread_clear_value(pthread_key_t key);

/* The signals that every living thread blocks. Returns false if no thread lives. */
bool thread_common_mask(sigset_t *common);

/* Whether pthread_cancel was called for the caller, and the caller has not disabled
 * cancellation. */
bool thread_is_cancelled(void);

/* In a forked child, which has the thread that called fork and no other: forgets the others. forked
 * is that thread, which keeps its name; NULL if it is a thread of libc. */
void thread_forget(struct thread *forked);

#endif
