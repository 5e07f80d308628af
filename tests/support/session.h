/* TLS sessions as a client keeps and offers them, by OpenSSL. Blocking. */
#ifndef HUBBUB_TESTS_SESSION_H
#define HUBBUB_TESTS_SESSION_H

#include <stdbool.h>

#define SESSION_NAME_SIZE 16 /* of a ticket's key */

struct certificate;

struct session {
	int version; /* TLS1_2_VERSION or TLS1_3_VERSION */
	void *kept;  /* OpenSSL's SSL_SESSION; NULL: none is kept */
	/* The client's certificate; NULL for none. Borrowed. */
	const struct certificate *certificate;
};

/* How a visit went: failed, with a full handshake, or with a resumed session. */
enum session_visit { SESSION_FAILED, SESSION_NEW, SESSION_RESUMED };

/* Connects to a port of loopback and exchanges a byte with an echo service. Offers the kept
 * session, if there is one, and keeps the new one instead; with is_once the old one stays. */
enum session_visit session_visit(struct session *session, int port, bool is_once);

/* Copies the name of the key that the session's ticket is encrypted with. Returns false if there is
 * no ticket. */
bool session_key_name(const struct session *session, unsigned char name[static SESSION_NAME_SIZE]);

/* Frees the kept session. */
void session_clean(struct session *session);

#endif
