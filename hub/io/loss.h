/* The loss of a connection, met by a call that returns what it has moved before: the kernel tells
 * it once, and has told it to that call. For calls that are not the hub's own (hub/patch). */
#ifndef HUBBUB_IO_LOSS_H
#define HUBBUB_IO_LOSS_H

#include "hub/base/inside.h"

/* A call on the socket fd returns a part, and leaves its errno to the next receive that finds the
 * end of the stream. Only a loss is left: ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH; an
 * unknown fd is ignored. Keeps errno. Switches: no. */
void loss_leave(int fd) HUB_INSIDE(loss_leave);

/* A receive from the socket fd has found the end of the stream. Returns the errno that was left, 0
 * if none was or if fd is another file by now. Switches: no. */
int loss_take(int fd) HUB_INSIDE(loss_take);

#endif
