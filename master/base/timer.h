/* Timers of the loop that count from the present. By itself libev counts from when the loop last
 * woke, and a callback may have taken long since. */
#ifndef HUBBUB_MASTER_BASE_TIMER_H
#define HUBBUB_MASTER_BASE_TIMER_H

#include <ev.h>

/* Starts the timer, whether it runs or not: it comes once after so many seconds, and with every > 0
 * again and again after those. */
static inline void
timer_start(struct ev_loop *loop, ev_timer *timer, double after, double every)
{
	ev_timer_stop(loop, timer);
	ev_now_update(loop);
	ev_timer_set(timer, after, every);
	ev_timer_start(loop, timer);
}

/* The same, once. */
static inline void
timer_after(struct ev_loop *loop, ev_timer *timer, double seconds)
{
	timer_start(loop, timer, seconds, 0.);
}

#endif
