/* From the wire to the histograms: every byte is checked as it comes. */
#ifndef HUBBUB_LOAD_RECEIVING_H
#define HUBBUB_LOAD_RECEIVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;
struct driver;
struct flight;
struct message;

/* Takes bytes that have come; replies that are complete are recorded. Returns false if a byte is
 * wrong: the offence is counted, and the connection is of no use any more. Does not switch. */
bool receiving_take(struct connection *connection, const char *bytes, size_t length, int64_t now);

/* Takes a datagram, which is to be the whole reply to the message of that number; it is recorded.
 * Returns false if it is not: the offence is counted. Does not switch. */
bool receiving_take_whole(struct connection *connection, uint64_t sequence,
	const struct flight *flight, const char *bytes, size_t length, int64_t now);

/* Counts bytes that nobody has asked for. */
void receiving_unasked(struct connection *connection, const char *bytes, size_t length);

/* Checks a whole message that came over a connection that has no slot; the offence is counted.
 * Returns whether it is right. */
bool receiving_check(struct driver *driver, const struct message *message, const char *bytes);

/* A reply has begun and will never be complete: counted as truncated. */
void receiving_cut_short(struct connection *connection);

#endif
