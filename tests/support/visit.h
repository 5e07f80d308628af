/* One connection of a TLS client that only listens, by OpenSSL. Blocking. */
#ifndef HUBBUB_TESTS_VISIT_H
#define HUBBUB_TESTS_VISIT_H

#include <stdbool.h>

struct certificate;

struct visit {
	int port;                              /* of loopback; 0: path */
	const char *path;                      /* of a Unix socket; borrowed, also below */
	const struct certificate *certificate; /* the client's; NULL for none */
	const char
		*protocols; /* that it offers, as ALPN writes them: "\2h2\4echo"; NULL for none */

	char text[512]; /* what it is told, up to the end */
	char why[256];  /* OpenSSL's last error, if the visit has failed */
};

/* Connects, makes the handshake, and receives until the server ends. Returns whether all went
 * well. */
bool visit_make(struct visit *visit);

#endif
