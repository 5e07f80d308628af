/* The loss of a connection, met by a call that returns what it has moved before: the kernel tells
 * it once, and has told it to that call. For calls that are not the hub's own (hub/patch). */
#ifndef HUBBUB_IO_LOSS_H
#define HUBBUB_IO_LOSS_H

#include "hub/base/inside.h"

/* The kernel has failed a call on the socket fd: if errno is a loss (ECONNRESET, ETIMEDOUT,
 * EHOSTUNREACH, ENETUNREACH), loss_leave knows it. Not for the ETIMEDOUT of a scope. An unknown fd
 * is ignored, also below. Keeps errno. Switches: no. */
void loss_note(int fd) HUB_INSIDE(loss_note);

/* The call returns a part, and leaves its errno, if that is a loss, to the next receive that finds
 * the end of the stream. Keeps errno. Switches: no. */
void loss_leave(int fd) HUB_INSIDE(loss_leave);

/* A receive from the socket fd has found the end of the stream. Returns the errno that was left, 0
 * if none was or if fd is another file by now. Switches: no. */
int loss_take(int fd) HUB_INSIDE(loss_take);

#endif
