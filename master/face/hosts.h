/* Which Host and Origin a request over HTTP may have.
 *
 * DNS rebinding: the owner of a DNS name can point it at a server inside a network, and a page of
 * that name in somebody's browser then reaches the server; the request's Host is that DNS name. So
 * a Host must be one of this server's own names as a whole. An IP address is allowed, because no
 * attacker's DNS name is one. */
#ifndef HUBBUB_FACE_HOSTS_H
#define HUBBUB_FACE_HOSTS_H

#include <stdbool.h>

struct options;

/* Whether a Host, with or without a port, is an IP address or localhost. */
bool hosts_is_local(const char *host);

/* Whether a Host is an IP address, localhost, or a name of this server: a name of --admin-host, the
 * host of --admin, or the machine's host name. */
bool hosts_is_own(const char *host, const struct options *options);

/* Whether an Origin names the same server as Host: the same host and port, over http or https. */
bool hosts_is_same(const char *origin, const char *host);

#endif
