/* The bytes of messages for an echo, or of requests (tests/load/ask/requests.h). The former are
 * described here. A message is a function of its connection's number, its own sequence on
 * it, and its length, so nothing is kept to send its rest or to check its echo. Upper-casing
 * changes no byte, but for the length prefix of MESSAGE_LEN32, where both forms are accepted. No
 * byte of head or body is a newline, but for the last one of MESSAGE_LINE.
 *
 * 	H uuuuuuuu ssssssss lllll cc body...  24 bytes of head, 5 bits in each digit
 * 	body...                               messages that are too short for a head
 *
 * u: connection, s: sequence, l: length, c: checksum of these; body: a slice of a table that
 * differs from message to message. */
#ifndef HUBBUB_LOAD_MESSAGE_H
#define HUBBUB_LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/load/ask/load.h"
#include "tests/load/count/message_fault.h"

struct message {
	uint64_t connection; /* up to 40 bits */
	uint64_t sequence;   /* up to 40 bits */
	uint32_t length;     /* bytes, framing included */
	uint64_t ticket;     /* of a request: its number, which makes its bytes */
};

/* Makes the tables and sets the form of all messages. requests, which is borrowed, are sent instead
 * of messages for an echo, if it has any; NULL for none. Must be called before any other function,
 * and before threads start. */
void message_setup(uint64_t seed, enum message_framing framing, enum message_verify verify,
	struct requests *requests);

/* A short message for a connection that carries no other, of at most so many bytes; a request is
 * whole, whatever its length, unless its reply is an echo. */
struct message message_probe(
	const struct load *load, uint64_t connection, uint64_t ticket, uint32_t most);

/* Writes length bytes of the message from offset on. */
void message_write(const struct message *message, uint32_t offset, char *bytes, uint32_t length);

/* Compares length bytes with the message from offset on. Returns how many are right before the
 * first wrong one; length if all are. */
uint32_t message_compare(
	const struct message *message, uint32_t offset, const char *bytes, uint32_t length);

/* Reads a head at the beginning of bytes into message. Returns whether there is a sound one. */
bool message_read_head(const char *bytes, size_t length, struct message *message);

/* Finds the kind of fault, where bytes[wrong] is the first byte that differs from the message. The
 * message would begin at bytes[start], which is negative if it began in an earlier receive. For the
 * last three kinds of fault, other becomes the message that was found instead. */
enum message_fault message_diagnose(const struct message *message, const char *bytes, size_t length,
	ptrdiff_t start, size_t wrong, struct message *other);

#endif
