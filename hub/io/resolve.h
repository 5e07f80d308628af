/* Looking up names without blocking the hub. */
#ifndef HUBBUB_IO_RESOLVE_H
#define HUBBUB_IO_RESOLVE_H

#include <netdb.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct addrinfo; /* <netdb.h> does not declare it with -std=c11 */

/* getaddrinfo(3), but only the coroutine waits. The C library looks names up as it is configured
 * to, in separate threads (HUBBUB_RESOLVER_THREADS, 1 to 64, default 4), so slow lookups delay no
 * other offloaded calls. Concurrent calls for one name share one lookup; nothing is cached after
 * it. Numeric addresses are converted at once.
 * Switches: yes, unless host and service are numeric.  Ownership: *result is freed by
 * hub_freeaddrinfo.
 * Returns 0 or EAI_...; EAI_SYSTEM with errno ECANCELED, ETIMEDOUT, EAGAIN or ENOMEM. A caller that
 * is killed or times out returns at once, and the lookup goes on without it. */
int hub_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **result);

/* Frees the result of hub_getaddrinfo. NULL is ignored. Switches: no. */
void hub_freeaddrinfo(struct addrinfo *result);

HUBBUB_API_END

#endif
