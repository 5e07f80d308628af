/* Static variables of C++ functions, which the first caller initialises while others wait. The
 * runtime has them wait for a thread: a coroutine whose initialiser waits would stop all others of
 * its thread, for ever if one of them comes to the same variable. Here only the coroutine waits. */
#ifndef HUBBUB_STATICS_PRIV_H
#define HUBBUB_STATICS_PRIV_H

#include "hub/base/inside.h"

/* What the runtime calls, by the names of the C++ ABI (cplusplus.c). The guard is used as libstdc++
 * does: code of both may meet at one.
 *
 * Returns 1 for who is to initialise the variable, and then release or abandon it; 0 once it is
 * initialised. */
int statics_acquire(int *guard) HUB_INSIDE(statics_acquire);
void statics_release(int *guard) HUB_INSIDE(statics_release);
void statics_abandon(int *guard) HUB_INSIDE(statics_abandon);

#endif
