/* Binds one socket to an address. A TCP or UDP socket becomes a member of the kernel's SO_REUSEPORT
 * group of that address. */
#ifndef HUBBUB_SOCKETS_BIND_H
#define HUBBUB_SOCKETS_BIND_H

#include "master/sockets/address.h"

/* Returns a bound, non-blocking socket, which the caller owns, or -1 with errno; then no file is
 * left at a Unix socket's path. If the port is 0, address gets the port that the kernel chose. */
int bind_address(struct address *address);

/* Sets the further options that a socket of that address should have; also for a socket that a
 * service manager has bound. Logs what fails. */
void bind_set_flags(const struct address *address, int fd);

#endif
