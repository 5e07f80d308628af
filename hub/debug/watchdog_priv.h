#ifndef HUBBUB_DEBUG_WATCHDOG_PRIV_H
#define HUBBUB_DEBUG_WATCHDOG_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/base/list.h"
#include "hub/debug/watchdog.h"

#define WATCHDOG_FRAMES 32

struct hub;
struct hub_hooks;

/* What the watchdog knows of a hub; part of it. */
struct watched {
	struct list link; /* under the watchdog's mutex, like all that follows */
	pthread_t thread;
	uint64_t taken; /* the hub's counters, when they last moved */
	int64_t busy_since;
	int64_t since; /* when that was seen */
	int64_t used;  /* CPU time of the thread then */
	pid_t tid;
	int64_t next_report; /* how long it must stand still to be reported */
	/* Until then the watchdog often makes it look at its clock. Relaxed: the hub reads it. */
	int64_t attended_until;
	unsigned *due_calls; /* its thread's hub_due_calls */
	atomic_bool is_expected;
	/* The hub's thread writes these while is_asked, and then clears it. */
	atomic_bool is_asked;
	char name[32];
	void *frames[WATCHDOG_FRAMES];
	unsigned count;
};

/* Sets a hub's hooks, when the watchdog is not calling one of them. */
void watchdog_set_hooks(struct hub *hub, const struct hub_hooks *hooks);

/* A hub starts, or ends. */
void watchdog_watch(struct hub *hub);
void watchdog_unwatch(struct hub *hub);

#endif
