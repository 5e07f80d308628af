/* Replies and timeouts of datagrams, which may be lost, and overtake one another. */
#ifndef HUBBUB_LOAD_DATAGRAMS_H
#define HUBBUB_LOAD_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

struct connection;

/* Takes one reply, received at now. A wrong reply is counted, and its message is not awaited any
 * longer. Does not switch. */
void datagrams_take(struct connection *connection, const char *bytes, size_t length, int64_t now);

/* Gives up messages without a reply in time, as connection_check does for streams. Does not
 * switch. */
void datagrams_check(struct connection *connection, int64_t now);

#endif
