/* Names to addresses, off the loop. */
#ifndef HUBBUB_IO_RESOLVE_H
#define HUBBUB_IO_RESOLVE_H

#include <netdb.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct addrinfo; /* <netdb.h> may keep it to itself, as with -std=c11 */

/* getaddrinfo(3), but only the coroutine waits: the C library looks names up as it is configured
 * to, in threads of its own kind (HUBBUB_RESOLVER_THREADS, 1 to 64, default 4), so that slow
 * lookups delay no other offloaded work. Several calls for one name at one time share one lookup;
 * nothing is kept after it. Addresses in numbers are converted at once.
 * Switches: yes, unless host and service are in numbers.  Ownership: *result is freed by
 * hub_freeaddrinfo.
 * Returns 0 or EAI_...; EAI_SYSTEM with errno ECANCELED, ETIMEDOUT, EAGAIN or ENOMEM. The caller
 * may leave at any time, the lookup goes on without it. */
int hub_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **result);

/* Frees what hub_getaddrinfo gave. NULL is ignored. Switches: no. */
void hub_freeaddrinfo(struct addrinfo *result);

HUBBUB_API_END

#endif
