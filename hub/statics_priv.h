/* Static variables of C++ functions: the first caller initialises them while other callers wait.
 * The C++ runtime lets the whole thread wait: if the initialising coroutine waits, all coroutines
 * of the thread would stop, for ever if one of them needs the same variable. Here only the calling
 * coroutine waits. */
#ifndef HUBBUB_STATICS_PRIV_H
#define HUBBUB_STATICS_PRIV_H

#include "hub/base/inside.h"

/* The three calls of the C++ ABI (cplusplus.c). The guard is used as libstdc++ does, since code of
 * both may use the same variable.
 *
 * statics_acquire returns 1 if the caller must initialise the variable and then release or abandon
 * it; 0 once it is initialised. */
int statics_acquire(int *guard) HUB_INSIDE(statics_acquire);
void statics_release(int *guard) HUB_INSIDE(statics_release);
void statics_abandon(int *guard) HUB_INSIDE(statics_abandon);

#endif
