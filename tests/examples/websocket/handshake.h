/* The beginning of a connection, which is HTTP: the page, or the handshake of RFC 6455. */
#ifndef WEBSOCKET_HANDSHAKE_H
#define WEBSOCKET_HANDSHAKE_H

#include <stdbool.h>

#include "chat.h"

struct hub_stream;

/* Reads a request, and answers it. Switches: yes.
 * Returns whether the client speaks frames from now on, with *reach set. */
bool handshake(struct hub_stream *stream, const struct chat *chat, enum reach *reach);

#endif
