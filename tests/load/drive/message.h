/* The bytes of messages. A message is a function of its connection's number, its own number in it,
 * and its length: nothing need be kept to send its rest or to check its echo. No byte is changed by
 * upper-casing, but for the length under MESSAGE_LEN32, where either is right; and none is a line's
 * end, but the last one under MESSAGE_LINE.
 *
 * 	H uuuuuuuu ssssssss lllll cc body...  24 bytes of head, a digit 5 bits, from 24 bytes on
 * 	body...                               shorter messages
 *
 * u: connection, s: sequence, l: length, c: a check of those; body: a slice of a table, which
 * differs from message to message. */
#ifndef HUBBUB_LOAD_MESSAGE_H
#define HUBBUB_LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/load/ask/message_form.h"
#include "tests/load/count/message_fault.h"

struct message {
	uint64_t connection; /* up to 40 bits */
	uint64_t sequence;   /* up to 40 bits */
	uint32_t length;     /* of all, framing included */
};

/* Makes the table; before any other call, and before threads start. */
void message_setup(uint64_t seed, enum message_framing framing, enum message_verify verify);

/* Writes length bytes of the message from offset on. */
void message_write(const struct message *message, uint32_t offset, char *bytes, uint32_t length);

/* Compares as many bytes with the message from offset on. Returns how many are right before the
 * first that is wrong, or length. */
uint32_t message_compare(
	const struct message *message, uint32_t offset, const char *bytes, uint32_t length);

/* Reads a head at the beginning of bytes. Returns whether there is a sound one. */
bool message_read_head(const char *bytes, size_t length, struct message *message);

/* Tells what happened where bytes, received at offset of the message, differ from it at
 * bytes[wrong]. start is where in bytes the message begins (negative: before them). other gets what
 * was found instead of it, for the last three kinds. */
enum message_fault message_diagnose(const struct message *message, const char *bytes, size_t length,
	ptrdiff_t start, size_t wrong, struct message *other);

#endif
