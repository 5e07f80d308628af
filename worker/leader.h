/* The leader of a worker: the coroutines of the first hub that act for all of the worker's hubs,
 * the leader itself and the receiver of the master's messages, share this record. */
#ifndef HUBBUB_WORKER_LEADER_H
#define HUBBUB_WORKER_LEADER_H

#include "worker/thread.h"

/* After STOP, how long connections have to end at a message boundary before they are killed. */
#define LEADER_FINISH_TIME (500 * HUB_MILLISECOND)
/* How long the stop hooks of the hubs, and then that of the worker, have at least. */
#define LEADER_HOOK_TIME (500 * HUB_MILLISECOND)

struct worker {
	const struct worker_heritage *heritage;
	struct worker_thread *threads;
	/* Hubs that have started, the first included; 0 once they end. */
	unsigned running;
	unsigned news[THREAD_NEWS_MAX]; /* how many hubs have reported each kind of news */
	bool is_leaving;
	bool is_last; /* the worker leaves without a successor (DRAIN) */
	int64_t left; /* clock at which is_leaving was set */
	bool is_to_stop;
	int64_t stopped;          /* clock at which is_to_stop was set */
	struct hub_event changed; /* set whenever one of the fields above changes */
	bool has_begun;           /* worker_start has succeeded */
	bool has_failed;
	int64_t closed; /* clock at which the hooks of the end began; 0 before */
};

/* Each function below: only the first hub's coroutines. */

/* Commands all hubs that run. */
void leader_command(struct worker *worker, enum thread_command command);

/* Runs in the first hub's loop: a hub of the worker, perhaps the first itself, has news. */
void leader_on_news(struct hub_message *message);

/* Commands all hubs to leave, with that many nanoseconds to drain; the second time does nothing. */
void leader_leave(struct worker *worker, enum thread_command command, int64_t window);

/* Commands all hubs to end their connections now, at a message boundary. */
void leader_stop(struct worker *worker);

/* A worker that cannot serve has no more time to end than one that is stopped. */
void leader_fail(struct worker *worker);

/* The clock that lies more nanoseconds after STOP, or after the hooks of the end have begun, if
 * that was later; HUB_FOREVER before STOP. */
int64_t leader_deadline(const struct worker *worker, int64_t more);

/* Waits until all hubs have reported that news, until leader_deadline at most. */
void leader_wait(struct worker *worker, enum thread_news news, int64_t more);

/* Waits until the worker is to leave. */
void leader_wait_leaving(struct worker *worker);

#endif
