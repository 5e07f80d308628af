/* Public records that a hub or a coroutine holds, or looks into. What they are for is told where
 * their functions are: in link.h, timeout.h, and in scheduler.h for what is counted. */
#ifndef HUBBUB_RECORD_H
#define HUBBUB_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"

HUBBUB_API_BEGIN

/* A coroutine's body; what it returns is its result. It may switch wherever it calls what does. */
typedef void *hub_fn(void *argument);

struct hub_coroutine;

/* Embedded in the object that wants to know of a coroutine's end; it lives until it has been told
 * or is unlinked. */
struct hub_link {
	struct hub_link *next; /* the library's */
	struct hub_link *previous;
	/* Called once, when the coroutine has ended and before it is joined: it must not hub_switch
	 * (fatal) nor block (blocking calls fail with EPERM), and may spawn, kill, set events,
	 * unlink others and free the link. */
	void (*ended)(struct hub_link *link, struct hub_coroutine *coroutine);
};

/* A scope or a shield. Lives in the caller's memory while started, usually on its stack. The fields
 * are the library's. */
struct hub_timeout {
	struct hub_timeout *outer; /* the scope around this one */
	int64_t deadline;          /* of this scope */
	int64_t earliest;          /* of this scope and all around it that can still expire in it */
	int reason;                /* what blocking calls in it fail with, or 0 */
	bool is_shield;
};

/* What a hub counts. Written by the hub's thread alone; where it lies in shared memory, any thread
 * or process may read it, each field by one relaxed atomic load. */
struct hub_counters {
	int64_t busy_since; /* clock at which the loop last returned; 0 while it waits */
	uint64_t busy;      /* nanoseconds between the loop's return and the next wait, added up */
	uint64_t polls;     /* times the loop was polled */
	uint64_t bytes_received; /* by hub_recv, hub_read and their kin */
	uint64_t bytes_sent;     /* by hub_send, hub_write and their kin */
};

HUBBUB_API_END

#endif
