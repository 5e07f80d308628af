/* <hubbub/listener.h>: named listeners. A service that listens on several addresses for different
 * ends, such as requests and administration, names the further ones. */
#ifndef HUBBUB_LISTENER_H
#define HUBBUB_LISTENER_H

#include <hubbub/api.h>
#include <hubbub/io/server.h>
#include <stddef.h>
#include <sys/types.h>

HUBBUB_API_BEGIN

#define HUBBUB_LISTENER_NAME_MAX 31 /* bytes of a listener's name */

/* The listeners of one name: operators give their addresses by --listen=NAME=ADDRESS. Connections
 * and datagrams of each name are counted (/metrics: hubbub_listener_...), of the first 15 names at
 * least if the service has few metrics of its own. */
struct hubbub_listener {
	/* Lower-case letters, digits, '-' and '_'; begins with a letter. */
	const char *name;
	/* Serves one connection, as the service's serve does, with the service's context; NULL: the
	 * listener takes datagrams alone. */
	void (*serve)(int client, void *context);
	/* Answers one datagram, as the service's answer does; NULL: the listener takes none. */
	ssize_t (*answer)(struct hub_datagram *datagram, size_t size, void *context);
	void *room[5]; /* for later versions: NULL */
};

/* The name of the listener that a connection came through, also if another hub has accepted it; ""
 * if that listener has no name, and for any other descriptor.
 * Switches: no.  Only in the hub that serves the connection.  Ownership: the service's own string.
 * Errors: none. */
const char *hubbub_listener(int client);

HUBBUB_API_END

#endif
