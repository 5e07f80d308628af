/* Handing out what the plan says is due. */
#ifndef HUBBUB_LOAD_PACER_H
#define HUBBUB_LOAD_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct driver;

/* Begins the plan: in a closed loop each connection's first messages, in an open one the coroutine
 * that waits for what is due next. Returns false and errno if that cannot be. */
bool pacer_start(struct driver *driver);

/* Hands out what is due by now. Whoever has read the clock may call it, so that a busy hub's plan
 * is not delayed until the pacer's turn. Does not switch. */
void pacer_advance(struct driver *driver, int64_t now);

/* Whether something that was due before the end of the load has still to be handed out. */
bool pacer_is_behind(const struct driver *driver);

#endif
