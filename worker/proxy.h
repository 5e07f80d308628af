/* The PROXY protocol, version 2: what a proxy in front says of a client before the client's own
 * bytes (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt).
 *
 *	head (16 bytes): signature, version and command, family, length of the rest
 *	rest: source and destination, then values by type, such as a checksum */
#ifndef HUBBUB_WORKER_PROXY_H
#define HUBBUB_WORKER_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "worker/heritage.h"

#define PROXY_HEAD_SIZE 16

/* How long the rest is that follows a head; or -1 if that is no head of this version, with *why
 * set to a phrase. */
int proxy_parse_head(const unsigned char head[static PROXY_HEAD_SIZE], const char **why);

/* Takes a whole header apart, head and rest. *client is what the proxy says of the client; its
 * family is AF_UNSPEC if the connection is the proxy's own (its health checks), or of a kind
 * that has no address. Returns whether the header is right; *why is a phrase if it is not. */
bool proxy_parse(const unsigned char *header, size_t length, struct sockaddr_storage *client,
	const char **why);

/* Whether an address is in one of the networks; v4 addresses within v6 ones count as v4. */
bool proxy_is_trusted(const struct sockaddr_storage *address, const struct worker_network *networks,
	size_t count);

/* How far a connection's header has come. */
enum proxy_reading {
	PROXY_READ,    /* it is right */
	PROXY_WRONG,   /* it is none, or there is no memory for it */
	PROXY_CUT,     /* its end did not come, in time */
	PROXY_NOTHING, /* not a byte came, in time */
	PROXY_READING_MAX
};

/* Reads a header from a connection that has just been accepted, and nothing beyond it. Waits for
 * a few seconds at most. Switches. Sets *client as proxy_parse does if it is right, else *why. */
enum proxy_reading proxy_read(int fd, struct sockaddr_storage *client, const char **why);

#endif
