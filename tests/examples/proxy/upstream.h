/* The server behind the proxy: what connections to it may be, and making one. */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include <netdb.h>
#include <stdint.h>

struct upstream {
	char host[NI_MAXHOST];
	char port[NI_MAXSERV];
	int64_t patience; /* nanoseconds for each address */
	unsigned most;    /* connections at once of a worker; 0: any number */
};

/* Sets host and port from HOST:PORT, or [HOST]:PORT. Returns NULL, or what it should have been. */
const char *upstream_parse(const char *text, struct upstream *upstream);

/* Connects to the first address of the host that answers, in the sequence of getaddrinfo(3). What
 * fails is logged and counted. Switches. Returns the socket, which upstream_close closes, or -1. */
int upstream_connect(const struct upstream *upstream);

void upstream_close(int fd);

#endif
