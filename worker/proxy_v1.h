/* Version 1 of the PROXY protocol: a line of text.
 *
 *	PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\n	source and destination, then their ports
 *	PROXY UNKNOWN ...\r\n				the proxy does not know its client */
#ifndef HUBBUB_WORKER_PROXY_V1_H
#define HUBBUB_WORKER_PROXY_V1_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define PROXY_V1_LEAST 15 /* bytes of the shortest line: PROXY UNKNOWN\r\n */
#define PROXY_V1_MOST 107 /* of the longest one */

/* Whether bytes begin as a line of version 1 does. */
bool proxy_v1_is_begun(const unsigned char *bytes, size_t length);

/* Parses a whole line, as proxy_parse (proxy.h). */
bool proxy_v1_parse(const unsigned char *line, size_t length, struct sockaddr_storage *client,
	const char **why);

#endif
