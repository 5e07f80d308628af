/* The PROXY protocol: what a proxy says about a client before the client's own bytes
 * (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt). A header is of version 1, a line
 * of text (proxy_v1.h), or of version 2:
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

/* The length of the rest that follows this head, in bytes; or -1 if it is no head of version 2,
 * with *why set to a phrase. */
int proxy_parse_head(const unsigned char head[static PROXY_HEAD_SIZE], const char **why);

/* Parses a whole header of either version. *client becomes the client's address; its family is
 * AF_UNSPEC if the connection is the proxy's own (its health checks), or of a kind that has no
 * address. Returns whether the header is valid; if not, *why is a phrase. */
bool proxy_parse(const unsigned char *header, size_t length, struct sockaddr_storage *client,
	const char **why);

/* Whether an address is in one of the networks. A v4-mapped v6 address counts as its v4 address. */
bool proxy_is_trusted(const struct sockaddr_storage *address, const struct worker_network *networks,
	size_t count);

/* The outcome of reading a header. */
enum proxy_reading {
	PROXY_READ,    /* a valid header */
	PROXY_WRONG,   /* something else than a valid header, or no memory for it */
	PROXY_CUT,     /* only the beginning of a header arrived in time */
	PROXY_NOTHING, /* no byte arrived in time */
	PROXY_READING_MAX
};

/* Reads a header, and nothing beyond it, from a connection that has just been accepted; waits for
 * five seconds at most. Sets *client as proxy_parse does if it is valid, else *why to a phrase.
 * Switches: yes. */
enum proxy_reading proxy_read(int fd, struct sockaddr_storage *client, const char **why);

#endif
