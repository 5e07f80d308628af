/* libev's functions over the world. Watchers of descriptors are level-triggered: a watcher that was
 * called is looked at again. Which of the ready watchers is called first is drawn, since libev
 * promises no order; so is, with trouble, a call for a descriptor that is not ready.
 *
 * Watched descriptors lie in an array by number; those to look at in a list of numbers, which may
 * name one that nobody watches any more. Timers are a heap by time. */
#include "sim/loop/loop_priv.h"

#include <stdbool.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "hub/base/loop.h"
#include "sim/invariants/invariants_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/loop/interruption_priv.h"
#include "sim/loop/loop_record_priv.h"
#include "sim/loop/order_priv.h"
#include "sim/loop/timers_priv.h"
#include "sim/machine/clock_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/world/world_priv.h"

#define TURNS_MOST 10000

static struct ev_loop *loops; /* of all hubs */
static bool was_made;

static void
look_at(struct ev_loop *loop, int at)
{
	if (loop->watched[at].is_due)
		return;
	loop->watched[at].is_due = true;
	loop->due[loop->due_count++] = at;
}

/* What poll(2) reports of the descriptor may have changed. */
static void
look_at_fd(int fd)
{
	int at = fd - FILES_FIRST;

	for (struct ev_loop *loop = loops; loop != NULL; loop = loop->next)
		if (at < loop->size && loop->watched[at].first != NULL)
			look_at(loop, at);
}

/* ---- its life ---- */

struct ev_loop *
sim_ev_loop_new(unsigned flags)
{
	struct ev_loop *loop;

	(void)flags;
	if (!world_exists()) {
		log_warning("this program is linked with libhubbub-sim, where hub_run is called by "
			    "hub_sim_run alone");
		return NULL;
	}
	loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return NULL;
	was_made = true;
	loop->clock = host_clock(fiber_host());
	loop->next = loops;
	loops = loop;
	file_watcher = look_at_fd;
	return loop;
}

bool
loop_was_made(void)
{
	bool result = was_made;

	was_made = false;
	return result;
}

void
loop_forget(struct ev_loop *loop)
{
	struct ev_loop **link = &loops;

	while (*link != loop)
		link = &(*link)->next;
	*link = loop->next;
	if (loops == NULL)
		file_watcher = NULL;
	free(loop->watched);
	free(loop->due);
	free(loop->timers);
	free(loop);
}

void
sim_ev_loop_destroy(struct ev_loop *loop)
{
	if (loop->timer_count != 0)
		world_fail("%d timers are left at the end", loop->timer_count);
	if (loop->active != 0)
		world_fail("%d descriptors are still watched at the end", loop->active);
	loop_forget(loop);
}

void
sim_ev_loop_fork(struct ev_loop *loop)
{
	(void)loop;
}

void
sim_ev_set_syserr_cb(void (*callback)(const char *what))
{
	(void)callback;
}

void
sim_ev_now_update(struct ev_loop *loop)
{
	(void)loop;
}

/* ---- descriptors ---- */

void
sim_ev_io_start(struct ev_loop *loop, ev_io *watcher)
{
	int at = watcher->fd - FILES_FIRST;

	CHECK_WHY(at >= 0, "a descriptor that is not of the simulated world is waited for");
	if (watcher->active)
		return;
	if (at >= loop->size) {
		int size = loop->size != 0 ? loop->size : 64;

		while (size <= at)
			size *= 2;
		loop->watched = loop_grow(loop->watched, size, sizeof *loop->watched);
		loop->due = loop_grow(loop->due, size, sizeof *loop->due);
		for (int i = loop->size; i < size; i++)
			loop->watched[i] = (struct watchers){0};
		loop->size = size;
	}
	watcher->active = 1;
	watcher->next = (ev_watcher_list *)loop->watched[at].first;
	loop->watched[at].first = watcher;
	loop->active++;
	look_at(loop, at);
}

void
sim_ev_io_stop(struct ev_loop *loop, ev_io *watcher)
{
	ev_io **link;

	if (!watcher->active)
		return;
	link = &loop->watched[watcher->fd - FILES_FIRST].first;
	while (*link != watcher)
		link = (ev_io **)&(*link)->next;
	*link = (ev_io *)watcher->next;
	watcher->active = 0;
	loop->active--;
}

/* The events of libev that a descriptor has. One that was closed has an error, which the waiter
 * then finds out. */
static int
events_of(int fd)
{
	const struct file *file = files_get(fd);
	short ready = file != NULL ? file->kind->ready(file) : POLLERR;
	int events = 0;

	if (ready & (POLLIN | POLLHUP | POLLERR))
		events |= EV_READ;
	if (ready & (POLLOUT | POLLHUP | POLLERR))
		events |= EV_WRITE;
	return events;
}

/* Calls the descriptor's watchers of these events. A callback may stop any of them. Returns whether
 * there was one. */
static inline bool
call_watchers(struct ev_loop *loop, int at, int events)
{
	bool was_called = false;

	for (ev_io *watcher = loop->watched[at].first, *next; watcher != NULL; watcher = next) {
		next = (ev_io *)watcher->next;
		if (!watcher->active || !(watcher->events & events & (EV_READ | EV_WRITE)))
			continue;
		was_called = true;
		watcher->cb(loop, watcher, watcher->events & events);
	}
	return was_called;
}

/* Looks at each descriptor of the list once, in an order that is drawn; those that are ready stay
 * in the list. Returns whether a watcher was called. */
static bool
call_ready(struct ev_loop *loop)
{
	bool was_called = false;

	for (int left = loop->due_count; left > 0; left--) {
		int chosen = (int)world_draw((uint64_t)left), at = loop->due[chosen], events;

		/* Those that were looked at, and those that come to it now, lie behind the rest. */
		loop->due[chosen] = loop->due[left - 1];
		loop->due[left - 1] = at;
		events = loop->watched[at].first != NULL ? events_of(FILES_FIRST + at) : 0;
		if (events != 0 && call_watchers(loop, at, events)) {
			was_called = true;
			loop->reported = FILES_FIRST + at;
			continue;
		}
		loop->due[left - 1] = loop->due[--loop->due_count];
		loop->watched[at].is_due = false;
	}
	return was_called;
}

/* Reports a descriptor that may not be ready. Returns whether a watcher was called. */
static bool
call_spurious(struct ev_loop *loop)
{
	int at = (int)world_draw((uint64_t)loop->size);

	while (loop->watched[at].first == NULL)
		at = (at + 1) % loop->size;
	return call_watchers(loop, at, EV_READ | EV_WRITE);
}

/* ---- other threads, and signals ---- */

void
sim_ev_async_start(struct ev_loop *loop, ev_async *async)
{
	async->active = 1;
	async->sent = 0;
	loop->async = async;
}

void
sim_ev_async_stop(struct ev_loop *loop, ev_async *async)
{
	async->active = 0;
	loop->async = NULL;
}

void
sim_ev_async_send(struct ev_loop *loop, ev_async *async)
{
	(void)loop;
	fiber_preemption_point();
	async->sent = 1;
}

static bool
call_async(struct ev_loop *loop)
{
	ev_async *async = loop->async;

	if (async == NULL || !async->sent)
		return false;
	async->sent = 0;
	async->cb(loop, async, EV_ASYNC);
	return true;
}

/* No signal ever comes. */
void
sim_ev_signal_start(struct ev_loop *loop, ev_signal *watcher)
{
	(void)loop;
	watcher->active = 1;
}

void
sim_ev_signal_stop(struct ev_loop *loop, ev_signal *watcher)
{
	(void)loop;
	watcher->active = 0;
}

/* ---- a turn ---- */

static bool
is_disturbed(struct ev_loop *loop)
{
	return loop->active != 0 && world_chance(world_options()->spurious);
}

/* One look at everything. */
static bool
call_all(struct ev_loop *loop, bool is_idle)
{
	bool was_called = interruptions_happen(is_idle);

	was_called = call_async(loop) || was_called;
	was_called = call_ready(loop) || was_called;
	was_called = (timers_are_due(loop) && timers_call(loop)) || was_called;
	if (loop->active != 0 && (loop->is_disturbed || is_disturbed(loop)))
		was_called = call_spurious(loop) || was_called;
	loop->is_disturbed = false;
	return was_called;
}

/* Whether a look may find something. */
static bool
is_due(void *object)
{
	struct ev_loop *loop = object;

	loop->is_disturbed = loop->is_disturbed || is_disturbed(loop);
	return loop->is_disturbed || loop->due_count != 0 ||
	       (loop->async != NULL && loop->async->sent) || timers_are_due(loop) ||
	       interruptions_are_due(loop);
}

static int64_t
end_of_wait(void *object)
{
	const struct ev_loop *loop = object;

	return clock_shows_at(loop->clock, timers_next(loop));
}

/* Until a look may find something, others go on, and time passes. */
static void
wait_until_due(struct ev_loop *loop)
{
	struct pause pause = {"something to happen", is_due, end_of_wait, loop};

	invariants_look();
	loop->turns = 0;
	fiber_pause(&pause);
}

int
sim_ev_run(struct ev_loop *loop, int flags)
{
	if (order_polls(loop))
		loop->turns = 0;
	if (flags == EVRUN_ONCE)
		world_moves();
	if (world_has_stalled())
		fibers_give_up("coroutines run all the time, and nothing happens: is there a loop "
			       "of hub_sleep(0)?");
	world_tick(2 * CLOCK_MICROSECOND);
	/* What is due by now happens first. */
	world_pass(world_now());
	fiber_pause(NULL);
	while (!call_all(loop, flags == EVRUN_ONCE) && flags == EVRUN_ONCE)
		wait_until_due(loop);
	if (++loop->turns == TURNS_MOST) {
		invariants_look_at_all();
		world_fail("descriptor %d is reported without end, and no coroutine runs",
			loop->reported);
		fibers_give_up("the loop calls watchers without end, and nothing runs");
	}
	return 1;
}
