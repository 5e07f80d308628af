/* Tasks: calls of a body in a pool for which a coroutine waits; map, apply and imap are made of
 * them. */
#ifndef HUBBUB_SYNC_POOL_PRIV_H
#define HUBBUB_SYNC_POOL_PRIV_H

#include <stdbool.h>

#include "hub/link.h"
#include "hub/sync/event.h"
#include "hub/sync/pool.h"

/* A task. Its owner sets done, ended and imap before task_start, and reads the rest when
 * is_done. */
struct task {
	struct hub_link link;
	struct hub_coroutine *coroutine; /* that runs the body; NULL before and after */
	void *result;
	struct hub_failure failure;
	bool is_done;
	struct hub_event *done;           /* set when the task ends; borrowed */
	void (*ended)(struct task *task); /* called before done is set; or NULL */
	struct hub_imap *imap;            /* NULL in apply and map */
	struct task *next;                /* in the list of an imap */
};

/* Starts the task in a child of the pool; waits while the pool is full. All fields but those that
 * the owner sets are zero. Returns 0, or -1 with errno. Switches, if the pool is full. */
int task_start(struct hub_pool *pool, hub_fn *body, void *argument, struct task *task);

/* The task that a coroutine's link belongs to; NULL if the link is none of a task. */
struct task *task_of(struct hub_link *link);

/* Waits, in a shield, until changed is set by one of the tasks that were killed. Deadlocks are
 * counted in *deadlocks; if there are too many, the process ends, because the tasks use the
 * caller's memory. Switches. */
void task_wait_out(struct hub_event *changed, int *deadlocks);

#endif
