/* Sending messages that are due. */
#ifndef HUBBUB_LOAD_SENDING_H
#define HUBBUB_LOAD_SENDING_H

#include <stdbool.h>
#include <stdint.h>

struct connection;

/* Appends a message that was due at intended, and sends it if the connection can send now. Does not
 * switch. */
void connection_due(struct connection *connection, int64_t intended, int64_t now);

/* Whether a message that becomes due now would be sent at once. */
bool connection_is_free(const struct connection *connection);

/* Sends due messages until the socket takes no more, or too many are in flight. Does not switch. */
void connection_send(struct connection *connection, int64_t now);

/* In a closed loop: makes messages due until as many as allowed are in flight, and sends them. Does
 * not switch. */
void connection_refill(struct connection *connection, int64_t now);

#endif
