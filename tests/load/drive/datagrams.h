/* Conversing by datagrams, which may be lost, and overtake one another. */
#ifndef HUBBUB_LOAD_DATAGRAMS_H
#define HUBBUB_LOAD_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

struct connection;

/* Takes one reply. A wrong one is counted, and is none. Does not switch. */
void datagrams_take(struct connection *connection, const char *bytes, size_t length, int64_t now);

/* Gives up what has no reply in time, as connection_check does for streams. */
void datagrams_check(struct connection *connection, int64_t now);

#endif
