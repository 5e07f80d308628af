#ifndef HUBBUB_IO_LIBEV_PRIV_H
#define HUBBUB_IO_LIBEV_PRIV_H

#include <poll.h>

#include "hub/base/inside.h"

/* Before the first loop polls. */
void libev_start(void);

/* poll(2) as libev bears it while a hub polls, for everybody else libc's own. */
int libev_poll(struct pollfd *fds, nfds_t count, int timeout) HUB_INSIDE(libev_poll);

#endif
