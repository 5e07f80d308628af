/* The fds that coroutines wait for are in a few queues: a wait that has just begun in the first, to
 * be looked at after 50 ms; after each look the wait moves to the next, to be looked at after twice
 * as long. In one queue all wait equally long, so its first is due first. A turn looks at a bounded
 * number: a hundred thousand idle connections cost a thousandth of a CPU, and delay no
 * coroutine. */
#include "hub/io/sweep_priv.h"

#include <errno.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/io/fd_priv.h"
#include "hub/io/identity_priv.h"
#include "hub/io/signs_priv.h"

#define FIRST (50 * CLOCK_MILLISECOND)
/* Most looks of one turn: at waits that have just begun, and at older ones. */
#define LOOKS_AT_ONCE 256
#define LOOKS_AGAIN 128
/* From this queue on, where waits have lasted for seconds, several are looked at together: waking
 * the loop costs more than that delay. */
#define LEVEL_OLD 5

static bool
is_awaited(const struct hub *hub, const struct hub_fd *entry)
{
	return entry->readers != NULL || entry->writers != NULL || signs_first(hub, entry) != NULL;
}

/* Whether no entry of the queue is due later than this one. */
static bool
is_due_last(const struct list *entries, const struct hub_fd *entry)
{
	return list_is_empty(entries) ||
	       CONTAINER_OF(entries->previous, struct hub_fd, sweep)->due <= entry->due;
}

static void
queue(struct hub *hub, struct hub_fd *entry, unsigned level)
{
	DCHECK(level < SWEEP_LEVELS && !sweep_has(entry));
	entry->queue = (uint8_t)(level + 1);
	entry->due = hub->now + (FIRST << level);
	DCHECK(is_due_last(&hub->fds.levels[level], entry));
	list_append(&hub->fds.levels[level], &entry->sweep);
}

static void
arm(struct hub *hub, int64_t delay)
{
	ev_timer *timer = &hub->fds.sweep;

	DCHECK(delay >= FIRST);
	if (ev_is_active(timer) && ev_timer_remaining(hub->loop, timer) <= clock_seconds(delay))
		return;
	ev_timer_stop(hub->loop, timer);
	ev_timer_set(timer, clock_seconds(delay), 0.);
	ev_timer_start(hub->loop, timer);
}

void
sweep_enter(struct hub *hub, struct hub_fd *entry)
{
	DCHECK(is_awaited(hub, entry));
	sweep_leave(entry);
	queue(hub, entry, 0);
	arm(hub, FIRST);
}

/* When the first waiter's wait began; now if there is none. */
static int64_t
since(const struct hub *hub, const struct hub_waiter *first)
{
	if (first == NULL || first->coroutine->state != COROUTINE_WAITING)
		return hub->now;
	return first->coroutine->waits_since;
}

/* Confirms that the readers wait for the open file that the fd refers to now, and not for the one
 * after the next close. */
static void
confirm(struct hub_fd *entry)
{
	for (struct hub_waiter *each = entry->readers; each != NULL; each = each->next)
		each->item = entry;
}

/* The fd may refer to another open file, which the kernel does not watch yet. */
static void
watch_anew(struct hub *hub, ev_io *watcher)
{
	if (!ev_is_active(watcher))
		return;
	ev_io_stop(hub->loop, watcher);
	ev_io_set(watcher, watcher->fd, watcher->events);
	ev_io_start(hub->loop, watcher);
}

/* Looks at one fd: renews its watches if it was never identified, forgets it if it refers to
 * another file, or moves it to the next queue. */
static void
look_at(struct hub *hub, struct hub_fd *entry)
{
	int64_t reads = since(hub, entry->readers), writes = since(hub, entry->writers);
	int64_t began = since(hub, signs_first(hub, entry));
	unsigned level = entry->queue - 1U;
	bool is_known = entry->is_known;

	began = reads < began ? reads : began;
	began = writes < began ? writes : began;
	sweep_leave(entry);
	if (!is_awaited(hub, entry))
		return;
	if (hub->now - began < FIRST) {
		/* The first queue's turn may be over, so that nothing else would arm the timer. */
		sweep_enter(hub, entry);
	} else if (!fd_is_same(hub, entry)) {
		fd_forget(hub, entry, EBADF);
	} else {
		if (!is_known) {
			watch_anew(hub, &entry->read);
			watch_anew(hub, &entry->write);
		}
		confirm(entry);
		queue(hub, entry, level + 1 < SWEEP_LEVELS ? level + 1 : level);
	}
}

/* Looks at those fds of a queue that are due, at most `most`. Returns the number of looks; *next
 * becomes the time until more are due, if that is sooner. */
static unsigned
look_at_due(struct hub *hub, unsigned level, unsigned most, int64_t *next)
{
	struct list *entries = &hub->fds.levels[level];
	int64_t pause = level < LEVEL_OLD ? FIRST : FIRST << (LEVEL_OLD - 2);
	unsigned looks = 0;

	while (!list_is_empty(entries)) {
		struct hub_fd *first = CONTAINER_OF(entries->next, struct hub_fd, sweep);

		DCHECK(first->queue == level + 1);
		if (looks == most || first->due > hub->now) {
			if (first->due - hub->now > pause)
				pause = first->due - hub->now;
			if (pause < *next)
				*next = pause;
			break;
		}
		look_at(hub, first);
		looks++;
	}
	return looks;
}

static bool
are_empty(const struct list levels[static SWEEP_LEVELS])
{
	for (unsigned level = 0; level < SWEEP_LEVELS; level++)
		if (!list_is_empty(&levels[level]))
			return false;
	return true;
}

/* The timer's callback: looks at due fds, and arms the timer for the next. */
static void
on_time(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct hub *hub = CONTAINER_OF(timer, struct hub, fds.sweep);
	int64_t next = INT64_MAX;
	unsigned left = LOOKS_AGAIN;

	(void)loop, (void)events;
	hub->now = clock_now();
	look_at_due(hub, 0, LOOKS_AT_ONCE, &next);
	/* Each queue leaves half of the looks to those after it. */
	for (unsigned level = 1; level < SWEEP_LEVELS; level++)
		left -= look_at_due(
			hub, level, level + 1 < SWEEP_LEVELS ? (left + 1) / 2 : left, &next);
	if (next != INT64_MAX)
		arm(hub, next);
	DCHECK(ev_is_active(timer) || are_empty(hub->fds.levels));
}

void
sweep_start(struct hub *hub)
{
	for (unsigned level = 0; level < SWEEP_LEVELS; level++)
		list_init(&hub->fds.levels[level]);
	ev_timer_init(&hub->fds.sweep, on_time, 0., 0.);
}

void
sweep_stop(struct hub *hub)
{
	CHECK(are_empty(hub->fds.levels));
	ev_timer_stop(hub->loop, &hub->fds.sweep);
}
