/* Connections of random programs: Unix or TCP, with or without TLS. */
#ifndef HUBBUB_TESTS_CONNECTIONS_H
#define HUBBUB_TESTS_CONNECTIONS_H

#include <stdbool.h>

/* A connection, or none. Who calls for one has a copy: what it calls for is that one's, whoever is
 * in the place later. */
struct connection {
	int ends[2]; /* -1: none */
	unsigned serial;
	bool is_secure, is_accepted, is_ready; /* the handshake has begun, and is done */
	bool is_spoiled;                       /* it need not work any more */
};

/* The byte that is sent at the end; no tag. */
enum { CONNECTION_LAST = 0xff };

/* What is sent into an end. */
unsigned char connection_tag(const struct connection *connection, int end);

/* Once, before the first. */
void connection_prepare_tls(void);

/* A new one with the next serial number. One with TLS is not ready. Switches: no. */
void connection_open(struct connection *place, bool is_secure);

/* Waits until it is ready; others may close it meanwhile, which leaves alone what is in the place
 * then. Switches: yes. */
void connection_shake_hands(struct connection *place);

/* Nothing, where there is none. Switches: no. */
void connection_close(struct connection *place);

#endif
