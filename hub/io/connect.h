/* Connecting to a host name, and listening at a host name. */
#ifndef HUBBUB_IO_CONNECT_H
#define HUBBUB_IO_CONNECT_H

#include "../api.h"

HUBBUB_API_BEGIN

/* Connects a TCP socket to the first address of host that answers ("happy eyeballs", RFC 8305). The
 * addresses are tried in the order of getaddrinfo, with families alternating; the next attempt
 * starts when the last has failed or a quarter of a second has passed. The first that connects
 * wins, and the others are closed. service is a port number or a name of /etc/services. For a
 * deadline put a timeout scope around the call.
 * Switches: yes.  Ownership: the caller closes the socket, by hub_close.
 * Returns the socket, or -1 with errno of the last address that failed, ENOENT (no such host or
 * service), EAGAIN (the name cannot be looked up now), ENOMEM, ECANCELED, ETIMEDOUT or EPERM. */
int hub_create_connection(const char *host, const char *service);

/* Makes a TCP socket that listens at service, a port number ("0": any free one) or name, on the
 * first address of host that this machine has; NULL: on all addresses of this machine, IPv6 and
 * IPv4. Old connections that are still closing do not block the address (SO_REUSEADDR). backlog as
 * in listen(2); 0 means 4096.
 * Switches: yes, unless host and service are numeric.  Ownership: the caller closes the socket, by
 * hub_close.
 * Returns the socket, or -1 with errno of socket(2), bind(2) and listen(2), or as
 * hub_create_connection. */
int hub_create_server(const char *host, const char *service, int backlog);

HUBBUB_API_END

#endif
