/* Letting clients go who wait in a listener's queue for a server that will serve nobody any more.
 * The kernel resets whoever is queued when the listener is closed, which looks like a crash and
 * can destroy what a client has not read: so each is accepted, and ended as any other connection
 * is. */
#ifndef HUBBUB_IO_DISMISS_PRIV_H
#define HUBBUB_IO_DISMISS_PRIV_H

#include <stddef.h>
#include <stdint.h>

/* Accepts whom the listener has queued, ends their input, reads until they have ended their output,
 * or for nanoseconds in all, and closes. *reserve is a descriptor that is closed, and becomes -1,
 * when there are no files but this one; or -1.
 * Switches: yes. For killed callers, too, it does all that needs no waiting.
 * Returns how many it let go. */
size_t dismiss_queued(int listener, int *reserve, int64_t nanoseconds);

#endif
