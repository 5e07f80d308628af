/* A client's TLS sessions, by OpenSSL and blocking. */
#ifndef HUBBUB_TESTS_SESSION_H
#define HUBBUB_TESTS_SESSION_H

#include <stdbool.h>

#define SESSION_NAME_SIZE 16 /* of a ticket's key */

struct session {
	int version; /* TLS1_2_VERSION or TLS1_3_VERSION */
	void *kept;  /* OpenSSL's; NULL before the first visit */
};

enum session_visit { SESSION_FAILED, SESSION_NEW, SESSION_RESUMED };

/* Connects to a port of loopback, and exchanges a byte with an echo service. Offers a session that
 * is kept, and keeps the one that it gets, or, if is_once, the one that it had. */
enum session_visit session_visit(struct session *session, int port, bool is_once);

/* The name of the key of its ticket. Returns whether it has one. */
bool session_key_name(const struct session *session, unsigned char name[static SESSION_NAME_SIZE]);

/* Forgets what is kept. */
void session_clean(struct session *session);

#endif
