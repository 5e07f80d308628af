/* Timers of a loop: a heap by time. */
#include "sim/loop/timers_priv.h"

#include "hub/base/clock.h"
#include "sim/loop/loop_record_priv.h"
#include "sim/machine/clock_priv.h"
#include "sim/world/world_priv.h"

static double
seconds(int64_t time)
{
	return (double)time / (double)CLOCK_SECOND;
}

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
		loop->timers = loop_grow(loop->timers, loop->timer_size, sizeof(ev_timer *));
	}
	timer->at += seconds(clock_monotonic(loop->clock));
	rise(loop, loop->timer_count++, timer);
}

void
sim_ev_timer_stop(struct ev_loop *loop, ev_timer *timer)
{
	int at = timer->active - 1;
	ev_timer *last;

	if (at < 0)
		return;
	timer->at -= seconds(clock_monotonic(loop->clock));
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
	return timer->at - (timer->active ? seconds(clock_monotonic(loop->clock)) : 0.);
}

bool
timers_call(struct ev_loop *loop)
{
	bool was_called = false;

	while (timers_are_due(loop)) {
		ev_timer *timer = loop->timers[0];

		sim_ev_timer_stop(loop, timer);
		if (timer->repeat > 0.) {
			timer->at = timer->repeat;
			sim_ev_timer_start(loop, timer);
		}
		world_moves();
		timer->cb(loop, timer, EV_TIMER);
		was_called = true;
	}
	return was_called;
}
