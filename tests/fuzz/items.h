/* Items in random programs: each is memory of its own, so that one that is lost, or comes twice, is
 * found by the count, and by AddressSanitizer. */
#ifndef HUBBUB_TESTS_ITEMS_H
#define HUBBUB_TESTS_ITEMS_H

#include <hubbub/hub.h>

enum { ITEMS_PLACES = 2 };

/* Where they may be; and how many there are. */
struct items {
	struct hub_queue *queues[ITEMS_PLACES];
	struct hub_channel channels[ITEMS_PLACES];
	struct hub_shared_queue *shared;
	struct hub_shared_event *event;
	long count;
	bool is_over;
	/* Of each queue: surely put and not dealt with; and how often there were none. */
	long undone[ITEMS_PLACES];
	long zeros[ITEMS_PLACES];
};

extern struct items items;

void items_open(void);

/* Closes all, so that everybody who waits goes on, and nobody waits any more. */
void items_end(void);

/* Complains if somebody waits for one, or one is lost or made. */
void items_close(void);

int *items_make(void);
void items_use(void *item);

/* One was put into that queue. */
void items_note_put(unsigned i);

/* Each makes a random call. Switches: yes. */
void items_step_queue(unsigned i);
void items_step_channel(unsigned i);
void items_step_shared(unsigned i);

/* Complains of an errno that no call may have here. */
void items_expect_error(const char *what);

#endif
