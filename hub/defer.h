/* Clean-up: a coroutine registers, where it takes something, how to give it back. The clean-up runs
 * when the coroutine ends, however it ends: a kill only makes blocking calls fail, so the body
 * returns. */
#ifndef HUBBUB_DEFER_H
#define HUBBUB_DEFER_H

#include <stddef.h>

#include "api.h"

HUBBUB_API_BEGIN

/* Calls function(argument) when the running coroutine ends; deferred calls run in reverse order of
 * their registration. function may block as long as the coroutine may. If a raw coroutine or
 * generator is freed before it has ended, hub_free makes the call, and function must not block.
 * Switches: no.  Thread: a coroutine's.
 * Returns 0, or -1 with errno ENOMEM or EPERM (no coroutine runs); then function will not be
 * called. */
int hub_defer(void (*function)(void *argument), void *argument);

/* Allocates memory that is freed when the running coroutine ends, after all deferred calls: for
 * data that lives as long as a connection. Aligned as by malloc(3); it cannot be freed earlier.
 * Switches: no.  Thread: a coroutine's.  Returns NULL with errno ENOMEM or EPERM. */
void *hub_alloc(size_t size);

HUBBUB_API_END

#endif
