/* From due to the wire. */
#ifndef HUBBUB_LOAD_SENDING_H
#define HUBBUB_LOAD_SENDING_H

#include <stdbool.h>
#include <stdint.h>

struct connection;

/* Makes a message due at a time, and sends it if that is possible now. */
void connection_due(struct connection *connection, int64_t intended, int64_t now);

/* Whether a message that came due now would be sent at once. */
bool connection_is_free(const struct connection *connection);

/* Sends what is due as far as it goes. Does not switch. */
void connection_send(struct connection *connection, int64_t now);

/* In a closed loop: makes as many messages due as may be in flight. */
void connection_refill(struct connection *connection, int64_t now);

#endif
