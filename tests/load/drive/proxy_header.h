/* The PROXY protocol's header, as a balancer writes it before the client's own bytes; see
 * worker/proxy.h. */
#ifndef HUBBUB_LOAD_PROXY_HEADER_H
#define HUBBUB_LOAD_PROXY_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "tests/load/ask/load.h"

#define PROXY_HEADER_SIZE 108 /* the longest of version 1, with a NUL */

/* Writes the header by which the load's client of that number reaches the target. To IPv6 it comes
 * from 2001:2::/48, else from 198.18.0.0/15, which are for measurements. 65536 numbers in a row are
 * as many networks of 64 bits, 131070 as many IPv4 addresses; those of the next seed, of 16, begin
 * 8191 further. Returns its length; 0 without --proxy-header. */
size_t proxy_header_write(char header[static PROXY_HEADER_SIZE], const struct load *load,
	const struct address *target, uint64_t number);

/* Sends it as the first bytes on fd, if there is one. Returns 0, or -1 with errno. Switches. */
int proxy_header_send(
	const struct load *load, int fd, const struct address *target, uint64_t number);

#endif
