/* The C++ runtime keeps for each thread which exceptions are handled. Coroutines of one thread
 * would pass them on to one another: so each has its own, which the runtime is given instead
 * (cplusplus.c). It asks at each throw and catch, and nothing is to be done at a switch. */
#ifndef HUBBUB_EXCEPTIONS_PRIV_H
#define HUBBUB_EXCEPTIONS_PRIV_H

#include "hub/base/inside.h"
#include "hub/record_priv.h"

/* The running coroutine's, or the thread's own. Any thread. */
struct exceptions *exceptions_here(void) HUB_INSIDE(exceptions_here);

/* In a child process whose thread will have no hub any more: what the running coroutine handles is
 * the thread's. */
void exceptions_keep(const struct hub *hub);

#endif
