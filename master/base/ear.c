/* An ear is an ev_io watcher and a timer, of which at most one is active: EV_ERROR starts the
 * timer, and the timer starts the watcher again. libev has already stopped a watcher by the time it
 * reports EV_ERROR. */
#include "master/base/ear.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/base/list.h"
#include "hub/base/log.h"
#include "hub/base/shortage.h"

/* ---- the loop ---- */

static void
ignore(struct ev_loop *loop, ev_async *watcher, int events)
{
	(void)loop, (void)watcher, (void)events;
}

/* libev makes its epoll set anew after a report of a descriptor that it has forgotten, and would
 * end the process if there is no descriptor for it just then. */
static void
on_system_error(const char *what)
{
	int error = errno;

	if (shortage_wait(error, "watch descriptors"))
		return;
	log_error("%s: %s", what, strerror(error));
	abort();
}

/* Tries out the new loop. libev's internal wake-up watcher is not an ear: if the kernel refuses to
 * watch it, libev stops it, and signals are lost without an error. ev_run returns the number of
 * active watchers, less one if the internal watcher was stopped: so with one ev_async started, 1 or
 * 0. */
struct ev_loop *
ear_loop_new(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
	bool is_woken;
	ev_async wake;

	if (loop == NULL)
		return NULL;
	ev_set_syserr_cb(on_system_error);
	ev_async_init(&wake, ignore);
	ev_async_start(loop, &wake);
	is_woken = ev_run(loop, EVRUN_NOWAIT);
	ev_async_stop(loop, &wake);
	if (is_woken)
		return loop;
	ev_loop_destroy(loop);
	return NULL;
}

/* ---- ears ---- */

#define SAY_EVERY (60 * CLOCK_SECOND)

/* libev does not say which error it was, so the message names the likely causes. */
static void
complain(void)
{
	static int64_t said;
	int64_t now = clock_now();

	if (said != 0 && now - said < SAY_EVERY)
		return;
	said = now;
	log_error("the kernel refuses to watch a file descriptor (out of memory, or "
		  "fs.epoll.max_user_watches?); trying again every %g s",
		EAR_PAUSE);
}

static void
on_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct ear *ear = CONTAINER_OF(watcher, struct ear, watcher);

	if (!(events & EV_ERROR)) {
		ear->hear(loop, watcher, events);
		return;
	}
	complain();
	ev_timer_set(&ear->pause, EAR_PAUSE, 0.);
	ev_timer_start(loop, &ear->pause);
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	ev_io_start(loop, &CONTAINER_OF(timer, struct ear, pause)->watcher);
}

void
ear_init(struct ear *ear, ear_hear *hear, int fd, int events)
{
	ear->hear = hear;
	ev_io_init(&ear->watcher, on_event, fd, events);
	ev_init(&ear->pause, on_pause_over);
}

void
ear_start(struct ev_loop *loop, struct ear *ear)
{
	if (!ev_is_active(&ear->pause))
		ev_io_start(loop, &ear->watcher);
}

void
ear_start_on(struct ev_loop *loop, struct ear *ear, int fd)
{
	ear_stop(loop, ear);
	ev_io_set(&ear->watcher, fd, ear->watcher.events & (EV_READ | EV_WRITE));
	ear_start(loop, ear);
}

void
ear_stop(struct ev_loop *loop, struct ear *ear)
{
	ev_io_stop(loop, &ear->watcher);
	ev_timer_stop(loop, &ear->pause);
}

/* libev stops a watcher some time before the callback sees EV_ERROR: until then it is pending. */
bool
ear_is_active(const struct ear *ear)
{
	return ev_is_active(&ear->watcher) || ev_is_pending(&ear->watcher) ||
	       ev_is_active(&ear->pause);
}
