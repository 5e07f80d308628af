/* One end of a connection that does not block, by any of the ways into a server: what differs
 * between them is here, so that whoever checks what comes back need not know. */
#ifndef HUBBUB_TESTS_ENDPOINT_H
#define HUBBUB_TESTS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum transport {
	TRANSPORT_TCP,
	TRANSPORT_PROXY, /* TCP, with a PROXY header before anything else */
	TRANSPORT_TLS,   /* over TCP; whoever answers is trusted */
	TRANSPORT_UNIX,
	TRANSPORT_UDP
};

/* Where a server is. */
struct target {
	enum transport transport;
	int port;         /* on 127.0.0.1 */
	const char *path; /* of a Unix socket; borrowed */
};

struct endpoint {
	int fd; /* to watch; -1: closed */
	enum transport transport;
	void *tls;
	bool is_connected; /* as far as the kernel knows */
};

/* Begins to connect. Returns false with errno. */
bool endpoint_open(struct endpoint *endpoint, const struct target *target);

/* Goes on, when the descriptor is ready: for writing the first time, then for reading. Returns 1
 * when messages can be exchanged, 0 if this is to be called again, or -1 with errno. */
int endpoint_establish(struct endpoint *endpoint);

/* As send and recv, with MSG_DONTWAIT: 0 is an end in order, EPROTO one that TLS was not told
 * of. */
ssize_t endpoint_send(struct endpoint *endpoint, const void *bytes, size_t length);
ssize_t endpoint_receive(struct endpoint *endpoint, void *bytes, size_t size);

/* Whether the peer has ended the connection in order, and nothing is left to receive. */
bool endpoint_has_ended(struct endpoint *endpoint);

void endpoint_close(struct endpoint *endpoint);

/* Whether the server at target answers "here" with "HERE", within ten seconds. It waits. */
bool target_answers(const struct target *target);

#endif
