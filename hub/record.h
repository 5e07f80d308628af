/* Public records that a hub or a coroutine holds or reads. Their functions are in link.h and
 * timeout.h; scheduler.h says how counters are passed to a hub. */
#ifndef HUBBUB_RECORD_H
#define HUBBUB_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"

HUBBUB_API_BEGIN

/* A coroutine's body; its return value is the coroutine's result. It may call any function that
 * switches. */
typedef void *hub_fn(void *argument);

struct hub_coroutine;

/* A callback at a coroutine's end, embedded in an object of the caller. It must stay valid until it
 * has been called or is unlinked. */
struct hub_link {
	struct hub_link *next; /* the library's, like previous */
	struct hub_link *previous;
	/* Called once, after the coroutine has ended and before it is joined. The callback must not
	 * call hub_switch (fatal), and blocking calls in it fail with EPERM. It may spawn, kill,
	 * set events, unlink other links, and free this one. */
	void (*ended)(struct hub_link *link, struct hub_coroutine *coroutine);
};

/* A timeout scope or a shield. Lives in the caller's memory while started, usually on the caller's
 * stack. The fields are the library's. */
struct hub_timeout {
	struct hub_timeout *outer; /* the scope around this one */
	int64_t deadline;          /* of this scope alone */
	int64_t earliest; /* the earliest of this scope and those around it, up to a shield */
	int reason;       /* the error with which blocking calls in the scope fail, or 0 */
	bool is_shield;
};

/* Counters of a hub. Only the hub's thread writes them; if they lie in shared memory, any thread or
 * process may read them, each field by one relaxed atomic load. */
struct hub_counters {
	int64_t busy_since; /* hub_now when the loop last returned; 0 while it waits */
	uint64_t busy;  /* nanoseconds between returns of the loop and its next wait, in total */
	uint64_t polls; /* times the loop was polled */
	uint64_t bytes_received; /* by hub_recv, hub_read and their kin */
	uint64_t bytes_sent;     /* by hub_send, hub_write and their kin */
};

HUBBUB_API_END

#endif
