/* The descriptors that the library itself has open: of a hub's loop, above all. They have high
 * numbers, where no program looks for its own: not 0 to 2, which it may have been started without,
 * nor those just above, which many programs close before they begin. */
#ifndef HUBBUB_IO_OWN_H
#define HUBBUB_IO_OWN_H

#include <stdbool.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* The library's: whether fd is one of those, which this process must not close. While this thread's
 * hub polls, they are libev's to close.
 * Switches: no.  Thread: any.  Errors: none. */
bool hub_owns(int fd);

/* The library's: whether this thread's hub polls, so that it is libev that calls.
 * Switches: no.  Thread: any.  Errors: none. */
bool hub_polls(void);

/* The library's: the lowest of those from that number on, or -1.
 * Switches: no.  Thread: any.  Errors: none. */
int hub_own_next(int fd);

/* The library's: fd, which was just made, under a high number and close-on-exec: one of those from
 * now on. -1 is let through, with errno as it is.
 * Switches: no.  Thread: any.  Returns the number: fd itself if no other is free. */
int hub_own(int fd);

/* The library's: fd is an ordinary number again, about to be closed.
 * Switches: no.  Thread: any.  Errors: none; any other is ignored. */
void hub_disown(int fd);

HUBBUB_API_END

#endif
