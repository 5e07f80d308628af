/* Clean-up: what a coroutine took and must give back, said where it is taken. It is done when the
 * coroutine ends, however it ends: a kill only makes blocking calls fail, so the body returns. */
#ifndef HUBBUB_DEFER_H
#define HUBBUB_DEFER_H

#include <stddef.h>

#include "api.h"

HUBBUB_API_BEGIN

/* Calls function(argument) when the running coroutine ends, in reverse order of such calls; it may
 * block, as far as the coroutine may. A raw coroutine or generator that is freed without having
 * ended has it called by hub_free, where it must not block.
 * Switches: no.  Thread: a coroutine's.
 * Returns 0, or -1 with errno ENOMEM or EPERM (no coroutine runs); then it is not called. */
int hub_defer(void (*function)(void *argument), void *argument);

/* Memory that is freed when the running coroutine ends, after all that was deferred: for what lives
 * as long as a connection. Aligned as by malloc(3); it cannot be freed before.
 * Switches: no.  Thread: a coroutine's.  Returns NULL with errno ENOMEM or EPERM. */
void *hub_alloc(size_t size);

HUBBUB_API_END

#endif
