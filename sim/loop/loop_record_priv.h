/* The record of a simulated loop. */
#ifndef HUBBUB_SIM_LOOP_RECORD_PRIV_H
#define HUBBUB_SIM_LOOP_RECORD_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/loop.h"

struct clock;

/* The watchers of one descriptor. */
struct watchers {
	ev_io *first; /* linked by ->next */
	bool is_due;  /* in the list of descriptors to look at */
};

struct ev_loop {
	struct clock *clock;      /* its host's; not owned */
	struct watchers *watched; /* by number, from FILES_FIRST on; owned */
	int size;
	int *due; /* descriptors to look at; owned, as large as watched */
	int due_count;
	int active;        /* watchers of descriptors */
	ev_timer **timers; /* a heap; owned; ->active is the index + 1 */
	int timer_count, timer_size;
	uint64_t appended, taken; /* the hub's, when it last polled */
	unsigned turns;           /* since a coroutine has run, or time has passed */
	int reported;             /* the last descriptor of which a watcher was called */
	ev_async *async;          /* the only one: the mailbox's */
	bool is_disturbed;        /* a descriptor that may not be ready is reported next */
	struct ev_loop *next;     /* in loops */
};

/* realloc(3) for an array of that many; aborts without memory. */
static inline void *
loop_grow(void *array, int size, size_t each)
{
	array = realloc(array, (size_t)size * each);
	CHECK_WHY(array != NULL, "no memory for a simulated loop");
	return array;
}

#endif
