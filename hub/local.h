/* Coroutine-local values: one per coroutine and key, as pthread_setspecific(3) has one per
 * thread. */
#ifndef HUBBUB_LOCAL_H
#define HUBBUB_LOCAL_H

#include "api.h"

HUBBUB_API_BEGIN

#define HUB_LOCAL_MAX 64

/* Makes a key that lasts as long as the process. At a coroutine's end destroy, if not NULL, is
 * called with the coroutine's value unless that is NULL, after all deferred calls; it may block as
 * long as the coroutine may.
 * Switches: no.  Thread: any.  Returns the key, or -1 with errno EAGAIN (HUB_LOCAL_MAX keys
 * exist). */
int hub_local_new(void (*destroy)(void *value));

/* Sets the running coroutine's value for the key; the old value is not destroyed.
 * Switches: no.  Thread: a coroutine's, raw or scheduled.
 * Returns 0, or -1 with errno ENOMEM, EINVAL (no such key) or EPERM (no coroutine runs). */
int hub_local_set(int key, void *value);

/* The running coroutine's value; NULL if none was set. Switches: no.  Errors: none. */
void *hub_local_get(int key);

HUBBUB_API_END

#endif
