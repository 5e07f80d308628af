/* The simulated loop, which stands for libev (instead/hub/base/loop.h). */
#ifndef HUBBUB_SIM_LOOP_PRIV_H
#define HUBBUB_SIM_LOOP_PRIV_H

#include <stdbool.h>

struct ev_loop;

/* Whether a hub has made a loop since the last call. */
bool loop_was_made(void);

/* Frees a loop in the middle of whatever it did: its watchers and timers may be gone. */
void loop_forget(struct ev_loop *loop);

#endif
