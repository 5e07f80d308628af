/* The library's own fds, above all those of a hub's loop. They are high, where no program expects
 * its own: not 0 to 2, without which it may have been started, nor the fds just above, which many
 * programs close at their start. */
#ifndef HUBBUB_IO_OWN_H
#define HUBBUB_IO_OWN_H

#include <stdbool.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* The library's: whether fd is the library's own, which this process must not close. While this
 * thread's hub polls, libev may close it, and the answer is false.
 * Switches: no.  Thread: any.  Errors: none. */
bool hub_owns(int fd);

/* The library's: whether this thread's hub polls, so that libev is the caller.
 * Switches: no.  Thread: any.  Errors: none. */
bool hub_polls(void);

/* The library's: the lowest of the library's own fds that is fd or higher, or -1.
 * Switches: no.  Thread: any.  Errors: none. */
int hub_own_next(int fd);

/* The library's: moves fd, which was just made, to a high number, close-on-exec, and records it as
 * the library's own. -1 is returned as it is, with errno kept.
 * Switches: no.  Thread: any.  Returns the new fd: fd itself if no other is free. */
int hub_own(int fd);

/* The library's: fd is not the library's own any more, and about to be closed.
 * Switches: no.  Thread: any.  Errors: none; any other fd is ignored. */
void hub_disown(int fd);

HUBBUB_API_END

#endif
