/* Hands out messages when the plan says that they are due. */
#ifndef HUBBUB_LOAD_PACER_H
#define HUBBUB_LOAD_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct driver;

/* Begins the plan: a closed loop sends each connection's first messages; an open loop gets a
 * coroutine that waits for the next due message. Returns false with errno if the coroutine cannot
 * be made. Does not switch. */
bool pacer_start(struct driver *driver);

/* Hands out the messages that are due at now. Every coroutine that has read the clock calls it, so
 * that a busy hub does not delay the plan until the pacer's turn. Does not switch. */
void pacer_advance(struct driver *driver, int64_t now);

/* Whether a message that was due before the end of the window is still to be handed out. */
bool pacer_is_behind(const struct driver *driver);

#endif
