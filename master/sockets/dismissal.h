/* Clients who are still queued when the last worker has gone: at workers that were killed while
 * they drained, or never served. */
#ifndef HUBBUB_SOCKETS_DISMISSAL_H
#define HUBBUB_SOCKETS_DISMISSAL_H

#include <stddef.h>

#include "master/sockets/sockets.h"

/* Accepts all who are queued on seats that listen, ends what they read, reads what they have sent,
 * and closes, so that closing the sockets resets nobody. Queues that a service manager keeps stay
 * as they are. Waits for nobody. Returns how many it let go. */
size_t dismissal_of_queued(const struct sockets *sockets);

#endif
