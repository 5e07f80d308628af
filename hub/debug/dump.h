/* A look at every coroutine of a hub. */
#ifndef HUBBUB_DEBUG_DUMP_H
#define HUBBUB_DEBUG_DUMP_H

#include "../api.h"

HUBBUB_API_BEGIN

/* Writes a line per coroutine of the calling thread's hub to fd: name, state, what it waits for
 * and since when. Switches: no.  Errors: none; without a hub it writes nothing. */
void hub_dump(int fd);

HUBBUB_API_END

#endif
