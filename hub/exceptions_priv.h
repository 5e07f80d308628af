/* The C++ runtime keeps for each thread which exceptions are being handled. Coroutines of one
 * thread would see each other's, so cplusplus.c gives the runtime a record of each coroutine's own.
 * The runtime asks for it at each throw and catch, so a switch has nothing to do. */
#ifndef HUBBUB_EXCEPTIONS_PRIV_H
#define HUBBUB_EXCEPTIONS_PRIV_H

#include "hub/base/inside.h"
#include "hub/record_priv.h"

/* The running coroutine's record, or the thread's own. Thread: any. */
struct exceptions *exceptions_here(void) HUB_INSIDE(exceptions_here);

/* For a child process, in which the thread loses its hub: copies the running coroutine's record to
 * the thread's own. */
void exceptions_keep(const struct hub *hub);

#endif
