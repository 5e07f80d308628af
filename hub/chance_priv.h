/* What the scheduler leaves to chance: here nothing. In a simulated world it is drawn, by a header
 * in this one's place (sim/instead/hub/chance_priv.h). */
#ifndef HUBBUB_CHANCE_PRIV_H
#define HUBBUB_CHANCE_PRIV_H

struct hub;
struct wait;

/* The first of the run queue, which is not empty, is about to be taken: another may become the
 * first. */
static inline void
chance_of_take(const struct hub *hub)
{
	(void)hub;
}

/* A coroutine is about to be left, or might be: it may turn out to have been slow. */
static inline void
chance_of_tick(const struct hub *hub)
{
	(void)hub;
}

/* The running coroutine has begun to wait, and is about to be left. */
static inline void
chance_of_wait(const struct hub *hub, const struct wait *wait)
{
	(void)hub, (void)wait;
}

/* Nothing can wake the first coroutine any more: it gets EDEADLK. */
static inline void
chance_of_deadlock(const struct hub *hub)
{
	(void)hub;
}

#endif
