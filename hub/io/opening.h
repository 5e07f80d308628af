/* A number that is to be closed in the end, though others may close it before, after which it may
 * be another descriptor's: for servers, and for who serves what they have accepted. */
#ifndef HUBBUB_IO_OPENING_H
#define HUBBUB_IO_OPENING_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/inside.h"

struct hub_fd;

struct fd_opening {
	const struct hub_fd *entry; /* NULL: the number was closed already, or no hub runs here */
	uint32_t opening;
};

/* What the number is now; one that is new to the hub enters. Does not switch. */
struct fd_opening fd_opening(int fd) HUB_INSIDE(fd_opening);

/* Whether it was closed since, as far as the hub knows; false without a hub. In the same hub. Does
 * not switch. */
bool fd_was_closed(const struct fd_opening *opening) HUB_INSIDE(fd_was_closed);

#endif
