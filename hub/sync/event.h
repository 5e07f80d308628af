/* Event: a flag that coroutines of one hub wait for. */
#ifndef HUBBUB_SYNC_EVENT_H
#define HUBBUB_SYNC_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_waiter;

/* The fields are the library's. {0} is an event that is not set. */
struct hub_event {
	struct hub_waiter *first;
	bool is_set;
};

/* Makes event one that is not set and has no waiters. Switches: no. */
void hub_event_init(struct hub_event *event);

/* Sets the event and wakes all who wait, in the order in which they came, even if it is cleared
 * before they run. Switches: no.  Thread: the waiters' hub, also in a mailbox message. */
void hub_event_set(struct hub_event *event);

/* Clears the event: later waits block again. Switches: no. */
void hub_event_clear(struct hub_event *event);

/* Whether it is set. Switches: no.  Errors: none. */
bool hub_event_is_set(const struct hub_event *event);

/* Waits until the event is set; returns at once if it is. One thread.
 * Switches: yes, unless it is set.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_event_wait(struct hub_event *event);

/* As hub_event_wait, for at most that many nanoseconds: then it fails with ETIMEDOUT, as it does
 * when a scope around it expires. Switches: as hub_event_wait. */
int hub_event_wait_for(struct hub_event *event, int64_t nanoseconds);

HUBBUB_API_END

#endif
