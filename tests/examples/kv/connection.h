/* One client. */
#ifndef KV_CONNECTION_H
#define KV_CONNECTION_H

#include <stddef.h>

struct store;

/* Serves a connection to its end; a request has at most `longest` bytes. Switches: yes. */
void connection_serve(int client, struct store *store, size_t longest);

#endif
