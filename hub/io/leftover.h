/* What a peer has sent and nobody will read. A socket that is closed with such bytes resets the
 * connection, and a reset can destroy what the peer has not read yet: so they are read first, but
 * no peer may hold a hub by sending on. */
#ifndef HUBBUB_IO_LEFTOVER_H
#define HUBBUB_IO_LEFTOVER_H

#include <stddef.h>

#include "hub/base/inside.h"

enum leftover {
	LEFTOVER_NONE, /* all that has come is read; more may come */
	LEFTOVER_MORE, /* there is more already: others are to have their turn first */
	LEFTOVER_ENDED /* the peer has ended its output, or is gone */
};

/* Reads and forgets what has come to a socket, at most four buffers of it, past the socket's layer.
 * Switches: no. */
enum leftover leftover_discard(int fd, void *buffer, size_t size) HUB_INSIDE(leftover_discard);

#endif
