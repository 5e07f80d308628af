/* The client's end of a non-blocking connection, by any transport that a server has: code that
 * checks what comes back need not know which one. */
#ifndef HUBBUB_TESTS_ENDPOINT_H
#define HUBBUB_TESTS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum transport {
	TRANSPORT_TCP,
	TRANSPORT_PROXY, /* TCP, with a PROXY header first */
	TRANSPORT_TLS,   /* TLS over TCP; no certificate is verified */
	TRANSPORT_UNIX,
	TRANSPORT_TLS_UNIX, /* TLS over a Unix socket */
	TRANSPORT_UDP
};

/* The address of a server. */
struct target {
	enum transport transport;
	int port;         /* on 127.0.0.1; not for a Unix socket */
	const char *path; /* of a Unix socket; borrowed */
};

struct endpoint {
	int fd; /* to poll; -1: closed */
	enum transport transport;
	void *tls;         /* OpenSSL's SSL; NULL without TLS */
	bool is_connected; /* connect(2) has succeeded; TLS may still be in its handshake */
};

/* Begins to connect. Returns false with errno if that fails at once. */
bool endpoint_open(struct endpoint *endpoint, const struct target *target);

/* Continues establishing the connection when the fd is ready: for writing the first time, for
 * reading later. Returns 1 when messages can be exchanged, 0 to be called again, or -1 with
 * errno. */
int endpoint_establish(struct endpoint *endpoint);

/* As send and recv with MSG_DONTWAIT. Receiving returns 0 for a graceful end; an end without TLS's
 * close_notify is EPROTO. */
ssize_t endpoint_send(struct endpoint *endpoint, const void *bytes, size_t length);
ssize_t endpoint_receive(struct endpoint *endpoint, void *bytes, size_t size);

/* Whether the peer has ended the connection gracefully, and nothing is left to receive. */
bool endpoint_has_ended(struct endpoint *endpoint);

/* Closes the connection; with TLS, gracefully. */
void endpoint_close(struct endpoint *endpoint);

/* Whether the server at target answers "here" with "HERE" within a minute, more with a sanitizer.
 * Blocks. */
bool target_answers(const struct target *target);

#endif
