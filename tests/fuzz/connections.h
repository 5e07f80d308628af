/* Connections of random programs: over Unix sockets or TCP, with or without TLS. */
#ifndef HUBBUB_TESTS_CONNECTIONS_H
#define HUBBUB_TESTS_CONNECTIONS_H

#include <stdbool.h>

/* A place for a connection, which may be empty. Copy the struct before a call on the connection:
 * another one may be in the place when the call returns. */
struct connection {
	int ends[2]; /* file descriptors; -1: none */
	unsigned serial;
	/* is_accepted: the server's side of the handshake is done; is_ready: both sides are. */
	bool is_secure, is_accepted, is_ready;
	/* The connection need not work any more: its handshake has failed, for instance. */
	bool is_spoiled;
};

/* The byte that is sent last of all; never a tag. */
enum { CONNECTION_LAST = 0xff };

/* The byte of which everything consists that is sent into an end. */
unsigned char connection_tag(const struct connection *connection, int end);

/* Once, before the first connection. */
void connection_prepare_tls(void);

/* Opens a connection with the next serial number in the place. With TLS it is not ready. Switches:
 * no. */
void connection_open(struct connection *place, bool is_secure);

/* Makes the TLS handshake. If another coroutine closes the connection meanwhile, leaves alone what
 * is in the place then. Switches: yes. */
void connection_shake_hands(struct connection *place);

/* Closes the connection, if there is one. Switches: no. */
void connection_close(struct connection *place);

#endif
