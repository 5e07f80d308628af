/* Kills, expired scopes and closes while coroutines wait: what the loop and
 * the run tell of. */
#ifndef HUBBUB_SIM_INTERRUPTION_PRIV_H
#define HUBBUB_SIM_INTERRUPTION_PRIV_H

#include <stdbool.h>

struct ev_loop;

struct hub;

/* In the loop of a hub: lets happen what is due in it; is_idle: nothing is runnable, so what was to
 * happen after some switches happens now. Returns whether anything has. */
bool interruptions_happen(bool is_idle);

/* Whether anything is due in the hub of that loop. */
bool interruptions_are_due(const struct ev_loop *loop);

/* The hub has ended: nothing happens to its coroutines any more. */
void interruptions_hub_ends(const struct hub *hub);

/* The run ends: nothing happens any more, and the numbers that were used again are looked at and
 * closed. */
void interruptions_end(void);

#endif
