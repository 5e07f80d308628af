/* What tests of TLS share: a certificate, and a connection of a server and a client of one hub. */
#ifndef HUBBUB_TESTS_UNIT_HUB_IO_ENCRYPTED_H
#define HUBBUB_TESTS_UNIT_HUB_IO_ENCRYPTED_H

#include "hub/hub.h"
#include "tests/support/certificate.h"

extern struct encrypted {
	struct certificate certificate;
	struct hub_tls *server_tls, *client_tls;
	const char *name;                /* that the client expects of the server */
	int server, client;              /* the descriptors */
	int accept_error, connect_error; /* how the handshake ended; 0: well */
	char why[256];                   /* that the client's failed */
} encrypted;

/* For a suite: .init and .fini. */
void encrypted_begin(void);
void encrypted_end(void);

/* Two sockets, before a handshake. */
void encrypted_pair(void);

/* A coroutine: the server's side of the handshake. */
void *encrypted_accept(void *argument);

/* Two sockets with the handshake done on both sides, or failed. Switches. */
void encrypted_shake_hands(void);

/* Closes both sockets. */
void encrypted_close(void);

#endif
