/* Clients that are still queued when the last worker has gone, because their worker was killed
 * while it drained, or never served. */
#ifndef HUBBUB_SOCKETS_DISMISSAL_H
#define HUBBUB_SOCKETS_DISMISSAL_H

#include <stddef.h>

#include "master/sockets/sockets.h"

/* Accepts each client that is queued on a listening seat or a shared socket, which are still this
 * master's; discards what the client has sent, and closes the connection gracefully, so that
 * closing the listening sockets resets nobody. Queues that a service manager also holds are left
 * alone. Never blocks. Returns the number of clients. */
size_t dismissal_of_queued(const struct sockets *sockets);

#endif
