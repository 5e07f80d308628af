/* The protocol of @NAME@, which main.c makes a server of and test_protocol.c tests. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stddef.h>

/* What operators can set, by the options in main.c. */
struct protocol {
	size_t longest_line; /* bytes */
};

/* How many lines this worker has answered. */
unsigned long protocol_answered(void);

/* Serves one connection; context is a struct protocol. */
void protocol_serve(int client, void *context);

#endif
