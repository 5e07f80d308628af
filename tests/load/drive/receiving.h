/* From the wire to the histograms: every byte is checked as it comes, and complete replies are
 * recorded. */
#ifndef HUBBUB_LOAD_RECEIVING_H
#define HUBBUB_LOAD_RECEIVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer_fault;
struct connection;
struct driver;
struct flight;
struct message;

/* Takes bytes that were received at now, and records the replies that they complete. Returns false
 * if a byte is wrong: the offence is counted, and the connection must be closed. Does not
 * switch. */
bool receiving_take(struct connection *connection, const char *bytes, size_t length, int64_t now);

/* Takes a datagram, which must be the whole reply to the message of that sequence, and records it.
 * Returns false if it is not: the offence is counted. Does not switch. */
bool receiving_take_whole(struct connection *connection, uint64_t sequence,
	const struct flight *flight, const char *bytes, size_t length, int64_t now);

/* Counts bytes that answer no message. Does not switch. */
void receiving_unasked(struct connection *connection, const char *bytes, size_t length);

/* Checks a whole reply that came over an idle connection, which has no slot; an offence is counted.
 * Returns whether the reply is right. */
bool receiving_check(struct driver *driver, const struct message *message, const char *bytes);

/* Counts a reply that is not as expected, and keeps the first fault in words. */
void receiving_wrong(
	struct driver *driver, const struct message *message, const struct answer_fault *fault);

/* Takes the end of the connection by the peer. Returns whether that is no error, since it completes
 * the only reply that is awaited, or none is; or is counted as a fault of that reply. Then it sets
 * the connection's end. Does not switch. */
bool receiving_end(struct connection *connection);

/* Counts a reply that has begun and will never be complete as truncated. */
void receiving_cut_short(struct connection *connection);

#endif
