/* The record of a simulated process. */
#ifndef HUBBUB_TESTS_SIM_WORKER_PROCESS_PRIV_H
#define HUBBUB_TESTS_SIM_WORKER_PROCESS_PRIV_H

#include "hub/base/list.h"
#include "tests/sim/worker/process.h"
#include "worker/heritage.h"

struct process {
	struct list link;
	struct worker_heritage heritage; /* its sockets are owned */
	pid_t pid;
	int log;
	int pidfd; /* the parent's */
	int end;   /* a duplicate of it, which tells the death */
	bool has_ended, was_killed;
	int code;           /* of its exit */
	int64_t held_until; /* by a computation, or a stop */
	int64_t killed_at;  /* as an orphan; 0: it is not */
	bool has_timer;     /* of an orphan */
};

/* All that were not waited for. */
extern struct list processes;

/* NULL: there is none, or it was waited for. */
struct process *process_of(pid_t pid);

/* The kernel, or the master, kills it: it must have been stuck. */
void process_kill_stuck(struct process *process);

#endif
