/* Receiving without a buffer, for streams. */
#ifndef HUBBUB_IO_RECEIVE_PRIV_H
#define HUBBUB_IO_RECEIVE_PRIV_H

#include <sys/types.h>

/* Receives at most BUFFER_SIZE - 1 bytes as hub_recv, or hub_read, does, into a buffer of the hub's
 * (buffers_priv.h) that it takes once bytes are there: a caller that waits has none. flags may be
 * MSG_DONTWAIT, for sockets.
 * Ownership: *buffer becomes the caller's if bytes are returned; else it is NULL.
 * Returns as hub_recv, also ENOMEM. */
ssize_t fd_receive_late(int fd, int flags, char **buffer);

#endif
