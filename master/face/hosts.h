/* By which names a request over HTTP may call this server, and from which pages it may come.
 *
 * A page in somebody's browser can reach a server beside that browser by a DNS name whose owner
 * points it there (DNS rebinding); then that name is in the request's Host. So names are compared
 * whole, with those that are this server's. A number is nobody's name, and is allowed. */
#ifndef HUBBUB_FACE_HOSTS_H
#define HUBBUB_FACE_HOSTS_H

#include <stdbool.h>

struct options;

/* Whether a Host, with a port or without, is an address in numbers or localhost. */
bool hosts_is_local(const char *host);

/* Whether it is that, or a name of this server: one that --admin-host gives, the one in --admin,
 * the machine's own. */
bool hosts_is_own(const char *host, const struct options *options);

/* Whether an Origin is a page of the server that Host names. */
bool hosts_is_same(const char *origin, const char *host);

#endif
