/* libev's functions over the world. Watchers of descriptors are level-triggered: a watcher that was
 * called is looked at again. Which of the ready watchers is called first is drawn, since libev
 * promises no order; so is, with trouble, a call for a descriptor that is not ready.
 *
 * Watched descriptors lie in an array by number; those to look at in a list of numbers, which may
 * name one that nobody watches any more. Timers are a heap by time. */
#include "sim/loop_priv.h"

#include <stdbool.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "hub/base/loop.h"
#include "sim/file_priv.h"
#include "sim/interruption_priv.h"
#include "sim/invariants_priv.h"
#include "sim/order_priv.h"
#include "sim/world_priv.h"

#define TURNS_MOST 10000

/* The watchers of one descriptor. */
struct watched {
	ev_io *first; /* linked by ->next */
	bool is_due;  /* in the list of descriptors to look at */
};

struct ev_loop {
	struct watched *watched; /* by number, from FILES_FIRST on; owned */
	int size;
	int *due; /* descriptors to look at; owned, as large as watched */
	int due_count;
	int active;        /* watchers of descriptors */
	ev_timer **timers; /* a heap; owned; ->active is the index + 1 */
	int timer_count, timer_size;
	unsigned turns;  /* since a coroutine has run, or time has passed */
	ev_async *async; /* the only one: the mailbox's */
};

/* There is one loop: hubs that stand for threads are to come. */
static struct ev_loop *loop_here;
static bool was_made;

static void *
grow(void *array, int size, size_t each)
{
	array = realloc(array, (size_t)size * each);
	CHECK_WHY(array != NULL, "no memory for a simulated loop");
	return array;
}

static double
seconds(int64_t time)
{
	return (double)time / (double)CLOCK_SECOND;
}

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

	if (at < loop_here->size && loop_here->watched[at].first != NULL)
		look_at(loop_here, at);
}

/* ---- its life ---- */

struct ev_loop *
sim_ev_loop_new(unsigned flags)
{
	(void)flags;
	if (!world_exists()) {
		log_warning("this program is linked with libhubbub-sim, where hub_run is called by "
			    "hub_sim_run alone");
		return NULL;
	}
	if (loop_here != NULL)
		return NULL;
	loop_here = calloc(1, sizeof *loop_here);
	was_made = loop_here != NULL;
	file_watcher = loop_here != NULL ? look_at_fd : NULL;
	return loop_here;
}

bool
loop_was_made(void)
{
	bool result = was_made;

	was_made = false;
	return result;
}

void
sim_ev_loop_destroy(struct ev_loop *loop)
{
	if (loop->timer_count != 0)
		world_fail("%d timers are left at the end", loop->timer_count);
	if (loop->active != 0)
		world_fail("%d descriptors are still watched at the end", loop->active);
	free(loop->watched);
	free(loop->due);
	free(loop->timers);
	free(loop);
	loop_here = NULL;
	file_watcher = NULL;
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
		loop->watched = grow(loop->watched, size, sizeof *loop->watched);
		loop->due = grow(loop->due, size, sizeof *loop->due);
		for (int i = loop->size; i < size; i++)
			loop->watched[i] = (struct watched){0};
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
static bool
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

/* ---- timers ---- */

static void
put(struct ev_loop *loop, int at, ev_timer *timer)
{
	loop->timers[at] = timer;
	timer->active = at + 1;
}

static void
rise(struct ev_loop *loop, int at, ev_timer *timer)
{
	for (; at > 0 && timer->at < loop->timers[(at - 1) / 2]->at; at = (at - 1) / 2)
		put(loop, at, loop->timers[(at - 1) / 2]);
	put(loop, at, timer);
}

static void
sink(struct ev_loop *loop, int at, ev_timer *timer)
{
	for (int next; (next = 2 * at + 1) < loop->timer_count; at = next) {
		if (next + 1 < loop->timer_count &&
			loop->timers[next + 1]->at < loop->timers[next]->at)
			next++;
		if (loop->timers[next]->at >= timer->at)
			break;
		put(loop, at, loop->timers[next]);
	}
	put(loop, at, timer);
}

void
sim_ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	if (timer->active)
		return;
	if (loop->timer_count == loop->timer_size) {
		loop->timer_size = loop->timer_size != 0 ? 2 * loop->timer_size : 64;
		loop->timers = grow(loop->timers, loop->timer_size, sizeof(ev_timer *));
	}
	timer->at += seconds(world_now());
	rise(loop, loop->timer_count++, timer);
}

void
sim_ev_timer_stop(struct ev_loop *loop, ev_timer *timer)
{
	int at = timer->active - 1;
	ev_timer *last;

	if (at < 0)
		return;
	timer->at -= seconds(world_now());
	timer->active = 0;
	last = loop->timers[--loop->timer_count];
	if (last == timer)
		return;
	if (at > 0 && last->at < loop->timers[(at - 1) / 2]->at)
		rise(loop, at, last);
	else
		sink(loop, at, last);
}

double
sim_ev_timer_remaining(struct ev_loop *loop, ev_timer *timer)
{
	(void)loop;
	return timer->at - (timer->active ? seconds(world_now()) : 0.);
}

/* When the first timer is due, in the world's nanoseconds; INT64_MAX: none. */
static int64_t
next_timer(const struct ev_loop *loop)
{
	return loop->timer_count != 0 ? (int64_t)(loop->timers[0]->at * (double)CLOCK_SECOND) + 1
				      : INT64_MAX;
}

static bool
call_timers(struct ev_loop *loop)
{
	bool was_called = false;

	while (next_timer(loop) <= world_now()) {
		ev_timer *timer = loop->timers[0];

		sim_ev_timer_stop(loop, timer);
		if (timer->repeat > 0.) {
			timer->at = timer->repeat;
			sim_ev_timer_start(loop, timer);
		}
		timer->cb(loop, timer, EV_TIMER);
		was_called = true;
	}
	return was_called;
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

/* One look at everything. */
static bool
call_all(struct ev_loop *loop, bool is_idle)
{
	bool was_called = interruptions_happen(is_idle);

	was_called = call_async(loop) || was_called;
	was_called = call_ready(loop) || was_called;
	was_called = call_timers(loop) || was_called;
	if (loop->active != 0 && world_chance(world_options()->spurious))
		was_called = call_spurious(loop) || was_called;
	return was_called;
}

int
sim_ev_run(struct ev_loop *loop, int flags)
{
	if (order_polls())
		loop->turns = 0;
	world_tick(2 * CLOCK_MICROSECOND);
	/* What is due by now happens first. */
	world_pass(world_now());
	while (!call_all(loop, flags == EVRUN_ONCE) && flags == EVRUN_ONCE) {
		invariants_look();
		loop->turns = 0;
		if (!world_pass(next_timer(loop)))
			world_give_up("everything waits, and nothing can happen any more");
	}
	if (++loop->turns == TURNS_MOST) {
		invariants_look_at_all();
		world_give_up("the loop calls watchers without end, and nothing runs");
	}
	if (world_is_old())
		world_give_up("the world has lasted too long");
	return 1;
}
