/* Bytes that a peer has sent and that will not be read. Closing a socket with such bytes resets the
 * connection, and a reset can destroy bytes that the peer has not read yet: so they are read before
 * the close, a limited amount at a time. */
#ifndef HUBBUB_IO_LEFTOVER_H
#define HUBBUB_IO_LEFTOVER_H

#include <stddef.h>

#include "hub/base/inside.h"

enum leftover {
	LEFTOVER_NONE, /* all bytes that have come are read; more may come */
	LEFTOVER_MORE, /* more bytes are there: let other coroutines run first */
	LEFTOVER_ENDED /* the peer has ended its output, or is gone */
};

/* Reads and drops the bytes that have come to a socket, at most four buffers of them, bypassing the
 * socket's layer. Switches: no. */
enum leftover leftover_discard(int fd, void *buffer, size_t size) HUB_INSIDE(leftover_discard);

#endif
