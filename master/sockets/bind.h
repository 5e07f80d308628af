/* Binds one socket to an address, as a member of the kernel's group of that address. */
#ifndef HUBBUB_SOCKETS_BIND_H
#define HUBBUB_SOCKETS_BIND_H

#include "master/sockets/address.h"

/* Returns a socket that is bound, and does not block, or -1 with errno; then it leaves no path. A
 * port 0 becomes the real one, in address too. */
int bind_address(struct address *address);

/* What a socket for that address is to have besides; also one that somebody else has bound. */
void bind_set_flags(const struct address *address, int fd);

#endif
