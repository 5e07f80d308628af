/* Threads that are coroutines: what is known of each, for those who create, join, cancel and
 * ask. */
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
	struct list link; /* in threads */
	struct hub_message message;
	void *(*body)(void *argument);
	void *argument;
	void *result;
	pthread_t kernel; /* the thread of libc's that it runs on */
	struct hub_shared_event *ended;
	jmp_buf exit;
	sigset_t mask;
	struct hub_coroutine *coroutine; /* this and what follows under the mutex; NULL unless it
					  * runs */
	bool has_ended;
	bool is_detached; /* nobody joins it */
	bool is_joined;   /* somebody does */
	atomic_bool is_cancelled;
	atomic_bool is_deaf; /* PTHREAD_CANCEL_DISABLE */
	struct cleanup *cleanup;
	char name[THREAD_NAME_SIZE];
	void *values[]; /* PTHREAD_KEYS_MAX of them */
};

/* The kernel thread whose coroutines they are. */
struct thread_host {
	pthread_t thread;
	struct hub_mailbox *mailbox; /* NULL before it runs */
	int key;                     /* of hub_local: the struct thread that a coroutine is */
};

extern struct thread_host thread_host;

/* Whether this is the host's thread. */
extern _Thread_local bool thread_is_host;

/* Guards what is known of them all. Taken as libc has it. */
void thread_lock(void);
void thread_unlock(void);

/* Makes it known; the mutex is locked. */
void thread_add(struct thread *thread);

/* The mutex is locked, and nobody uses it any more. */
void thread_free(struct thread *thread);

/* The mutex is locked. NULL for one of libc's. */
struct thread *thread_find(pthread_t name);

/* The one that runs; NULL for a thread of libc's. */
struct thread *thread_this(void);

/* In a child: the thread that it was in its parent, where that was a coroutine. NULL elsewhere. */
struct thread *thread_inherited(void);

/* Libc's thread for a name, for calls that coroutines cannot have of their own. */
pthread_t thread_kernel(pthread_t name);

/* None has a value of that key any more; the mutex is locked. */
void thread_clear_value(pthread_key_t key);

/* What all that live keep out. Returns false if none lives. */
bool thread_common_mask(sigset_t *common);

/* Whether the caller is one that pthread_cancel was called for, and that listens. */
bool thread_is_cancelled(void);

/* In a child process, which has the thread that forked and no other: that one keeps its name. NULL:
 * it is one of libc's. */
void thread_forget(struct thread *forked);

#endif
