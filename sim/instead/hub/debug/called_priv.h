/* In the place of hub/debug/called_priv.h: coroutines and objects have numbers, which are the same
 * in each run of a seed, and those of the events. */
#ifndef HUBBUB_DEBUG_CALLED_PRIV_H
#define HUBBUB_DEBUG_CALLED_PRIV_H

#include "hub/record_priv.h"

#define CALLED_SIZE 128

void called_begin(void);
const char *called(const struct hub_coroutine *coroutine, char text[CALLED_SIZE]);
const char *called_awaited(const struct hub_coroutine *coroutine, char text[CALLED_SIZE]);

#endif
