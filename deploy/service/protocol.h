/* The protocol of @NAME@, which main.c makes a server of and test_protocol.c tests. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stddef.h>

/* What the protocol has of its server, so that a test can be one, too. */
struct protocol {
	size_t longest_line;        /* bytes */
	void (*begins)(int client); /* a line of that client is about to be answered */
	void (*ends)(int client);   /* it has been */
};

/* Serves one connection, to its end. */
void protocol_serve(int client, const struct protocol *protocol);

#endif
