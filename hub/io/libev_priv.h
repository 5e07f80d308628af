/* What stands between libev and the kernel; libev.c says why. */
#ifndef HUBBUB_IO_LIBEV_PRIV_H
#define HUBBUB_IO_LIBEV_PRIV_H

#include <poll.h>

#include "hub/base/inside.h"

/* Sets libev's callback for errors. Called before the first loop polls. */
void libev_start(void);

/* poll(2), without POLLNVAL while a hub polls; for all other callers libc's own. */
int libev_poll(struct pollfd *fds, nfds_t count, int timeout) HUB_INSIDE(libev_poll);

#endif
