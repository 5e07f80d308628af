/* The simulated loop, which stands for libev (instead/hub/base/loop.h). */
#ifndef HUBBUB_SIM_LOOP_PRIV_H
#define HUBBUB_SIM_LOOP_PRIV_H

#include <stdbool.h>

/* Whether a hub has made a loop since the last call. */
bool loop_was_made(void);

#endif
