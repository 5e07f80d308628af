/* Tasks: calls of a body in a pool, whose results somebody waits for. */
#ifndef HUBBUB_SYNC_POOL_PRIV_H
#define HUBBUB_SYNC_POOL_PRIV_H

#include <stdbool.h>

#include "hub/link.h"
#include "hub/sync/event.h"
#include "hub/sync/pool.h"

struct task {
	struct hub_link link;
	struct hub_coroutine *coroutine; /* NULL before it starts and after it has ended */
	void *result;
	struct hub_failure failure;
	bool is_done;
	struct hub_event *done;           /* set at the end; borrowed */
	void (*ended)(struct task *task); /* called before that; or NULL */
	struct hub_imap *imap;            /* NULL in apply and map */
	struct task *next;
};

/* Spawns a coroutine of the pool for the task, which must be zero but for what its caller sets.
 * Switches, while the pool is full. Returns 0, or -1 and errno. */
int task_start(struct hub_pool *pool, hub_fn *body, void *argument, struct task *task);

/* The task that a coroutine's link belongs to; NULL if it is another link. */
struct task *task_of(struct hub_link *link);

/* In a shield: waits until something has changed, of tasks that were killed. If they wait for ever
 * all the same, nothing can be saved: they use the caller's memory. Switches. */
void task_wait_out(struct hub_event *changed, int *deadlocks);

#endif
