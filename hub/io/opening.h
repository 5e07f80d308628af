/* An fd that its owner must close in the end, though another part of the program may close it
 * before, after which the fd may refer to another open file. For servers, and for code that serves
 * their connections. */
#ifndef HUBBUB_IO_OPENING_H
#define HUBBUB_IO_OPENING_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/inside.h"

struct hub_fd;

struct fd_opening {
	const struct hub_fd *entry; /* NULL: the fd was closed already, or no hub runs here */
	uint32_t opening;
};

/* The present opening of the fd; an fd that is new to the hub enters. Does not switch. */
struct fd_opening fd_opening(int fd) HUB_INSIDE(fd_opening);

/* Whether the fd was closed since, as far as the hub knows; false without a hub. Call it in the
 * same hub. Does not switch. */
bool fd_was_closed(const struct fd_opening *opening) HUB_INSIDE(fd_was_closed);

/* Whether a call of the hub has met the reset of the connection, in which nothing comes or goes any
 * more; false if it was closed since, or without a hub. Call it in the same hub. Does not
 * switch. */
bool fd_was_reset(const struct fd_opening *opening) HUB_INSIDE(fd_was_reset);

#endif
