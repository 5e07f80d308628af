/* Timers that count from the present. libev alone counts from the time at which the loop last woke,
 * and callbacks may have run for long since then. */
#ifndef HUBBUB_MASTER_BASE_TIMER_H
#define HUBBUB_MASTER_BASE_TIMER_H

#include <ev.h>

/* Starts the timer, or starts it anew if it runs: it fires after `after` seconds, and then every
 * `every` seconds if that is above 0. */
static inline void
timer_start(struct ev_loop *loop, ev_timer *timer, double after, double every)
{
	ev_timer_stop(loop, timer);
	ev_now_update(loop);
	ev_timer_set(timer, after, every);
	ev_timer_start(loop, timer);
}

/* Starts the timer, or starts it anew if it runs: it fires once, after so many seconds. */
static inline void
timer_after(struct ev_loop *loop, ev_timer *timer, double seconds)
{
	timer_start(loop, timer, seconds, 0.);
}

#endif
