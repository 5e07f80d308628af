/* Items in random programs. Each is an allocation of its own, so that the count and
 * AddressSanitizer find an item that is lost, or comes twice. */
#ifndef HUBBUB_TESTS_ITEMS_H
#define HUBBUB_TESTS_ITEMS_H

#include <hubbub/hub.h>

enum { ITEMS_PLACES = 2 };

/* The places where items may be, and how many items there are. */
struct items {
	struct hub_queue *queues[ITEMS_PLACES];
	struct hub_channel channels[ITEMS_PLACES];
	struct hub_shared_queue *shared;
	struct hub_shared_event *event;
	long count;
	bool is_over;
	/* Of each queue: how many items are surely put and not dealt with, and how often there were
	 * none. */
	long undone[ITEMS_PLACES];
	long zeros[ITEMS_PLACES];
};

extern struct items items;

void items_open(void);

/* Closes all places, so that each waiting coroutine goes on, and none waits any more. */
void items_end(void);

/* Frees all places. Complains if a coroutine still waits for an item, or an item is lost or
 * made. */
void items_close(void);

int *items_make(void);
void items_use(void *item);

/* Notes that an item was put into queue i. */
void items_note_put(unsigned i);

/* Each of these makes a random call. Switches: yes. */
void items_step_queue(unsigned i);
void items_step_channel(unsigned i);
void items_step_shared(unsigned i);

/* Complains about an errno that no call may fail with here. */
void items_expect_error(const char *what);

#endif
