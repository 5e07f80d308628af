/* What the scheduler leaves to chance, in the place of hub/chance_priv.h: the order of runnable
 * coroutines, and how slow they are (order.c); kills, expired scopes and closes while a coroutine
 * waits (interruption.c). That nothing can go on is a failure of the run (run.c). */
#ifndef HUBBUB_SIM_CHANCE_PRIV_H
#define HUBBUB_SIM_CHANCE_PRIV_H

struct hub;
struct wait;

void chance_of_take(struct hub *hub);
void chance_of_tick(struct hub *hub);
void chance_of_wait(struct hub *hub, const struct wait *wait);
void chance_of_deadlock(const struct hub *hub);

#endif
