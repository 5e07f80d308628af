/* Event: a flag; coroutines of one hub wait until it is set. */
#ifndef HUBBUB_SYNC_EVENT_H
#define HUBBUB_SYNC_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_waiter;

/* The fields are the library's; {0} is an event that is not set, without waiters. */
struct hub_event {
	struct hub_waiter *first; /* waiters; none while the event is set */
	bool is_set;
};

/* Initialises event as not set, without waiters. Switches: no. */
void hub_event_init(struct hub_event *event);

/* Sets the event and wakes all waiters, in the order in which they came; they return even if the
 * event is cleared before they run. Switches: no.  Thread: the waiters' hub, also in a mailbox
 * message. */
void hub_event_set(struct hub_event *event);

/* Clears the event: later waits wait again. Switches: no. */
void hub_event_clear(struct hub_event *event);

/* Whether the event is set. Switches: no.  Errors: none. */
bool hub_event_is_set(const struct hub_event *event);

/* Waits until the event is set; returns at once if it is. Thread: the event's hub.
 * Switches: yes, unless the event is set.
 * Returns 0, or -1 with errno ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_event_wait(struct hub_event *event);

/* As hub_event_wait, but waits for at most so many nanoseconds, then fails with ETIMEDOUT, as it
 * does when a timeout scope expires. Switches: as hub_event_wait. */
int hub_event_wait_for(struct hub_event *event, int64_t nanoseconds);

HUBBUB_API_END

#endif
