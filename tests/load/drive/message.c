/* A message's body is a slice of one random table of letters that upper-casing leaves alone; where
 * it begins is a hash of connection, sequence and length. The table lies twice in a row, so that a
 * slice is contiguous; a long message repeats it. The table and the form are written once, before
 * threads start. */
#include "tests/load/drive/message.h"

#include <ctype.h>
#include <string.h>

#include "hub/base/check.h"
#include "tests/load/ask/random.h"

#define TABLE_SIZE (64 * 1024)
#define SLICE_STARTS (TABLE_SIZE / 2)
#define MAGIC 'H'
#define DIAGNOSE_MATCH 4 /* bytes that must agree before a shift counts as found */

static const char digits[32] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/* The table and a second copy, so that a slice may run over the end of the first. */
static char table[2 * TABLE_SIZE];
static enum message_framing framing;
static enum message_verify verify;
static const struct requests *requests; /* NULL: messages are for an echo */

void
message_setup(uint64_t seed, enum message_framing with_framing, enum message_verify with_verify,
	struct requests *with_requests)
{
	uint64_t random = random_seed(seed, UINT64_MAX);

	for (size_t i = 0; i < TABLE_SIZE; i++)
		table[i] = table[TABLE_SIZE + i] = (char)('!' + (random_next(&random) & 63));
	framing = with_framing;
	verify = with_verify;
	requests = with_requests != NULL && with_requests->count > 0 ? with_requests : NULL;
	template_setup(seed);
	if (with_requests != NULL)
		with_requests->seed = seed;
}

static const struct template *
template_of(const struct message *message)
{
	return &requests_choose(requests, message->ticket)->request.template;
}

struct message
message_probe(const struct load *load, uint64_t connection, uint64_t ticket, uint32_t most)
{
	struct message message = {connection, 0, sizes_least(&load->sizes), ticket};
	bool is_echo = load->reply.kind == REPLY_ECHO;

	if (load->requests->count > 0)
		message.length = template_length(template_of(&message), ticket);
	if (message.length > most && (is_echo || load->requests->count == 0))
		message.length = most;
	return message;
}

/* ---- the head ---- */

static void
write_digits(char *to, unsigned count, uint64_t value)
{
	while (count-- > 0) {
		to[count] = digits[value & 31];
		value >>= 5;
	}
}

static bool
read_digits(const char *from, unsigned count, uint64_t *value)
{
	*value = 0;
	while (count-- > 0) {
		const char *digit = memchr(digits, *from++, sizeof digits);

		if (digit == NULL)
			return false;
		*value = *value << 5 | (uint64_t)(digit - digits);
	}
	return true;
}

static uint64_t
mix(const struct message *message)
{
	return random_mix(message->connection * UINT64_C(0x9e3779b97f4a7c15) + message->sequence +
			  ((uint64_t)message->length << 40));
}

/* Bytes of framing before the head. */
static uint32_t
prefix_length(void)
{
	return framing == MESSAGE_LEN32 ? 4 : 0;
}

/* Writes the framing prefix and the head, or only the prefix of a message that is too short for a
 * head. Returns the number of bytes. */
static uint32_t
write_head(const struct message *message, char head[static 4 + MESSAGE_HEAD])
{
	uint32_t prefix = prefix_length();
	char *to = head + prefix;

	if (prefix != 0) {
		uint32_t rest = message->length - prefix;

		for (int i = 0; i < 4; i++)
			head[i] = (char)(rest >> (24 - 8 * i));
	}
	/* The last byte of a line is its newline, which the head must leave free. */
	if (message->length < prefix + MESSAGE_HEAD + (framing == MESSAGE_LINE))
		return prefix;
	to[0] = MAGIC;
	write_digits(to + 1, 8, message->connection);
	write_digits(to + 9, 8, message->sequence);
	write_digits(to + 17, 5, message->length);
	write_digits(to + 22, 2, mix(message) >> 54);
	return prefix + MESSAGE_HEAD;
}

bool
message_read_head(const char *bytes, size_t length, struct message *message)
{
	uint64_t size, sum;

	if (length < MESSAGE_HEAD || bytes[0] != MAGIC ||
		!read_digits(bytes + 1, 8, &message->connection) ||
		!read_digits(bytes + 9, 8, &message->sequence) ||
		!read_digits(bytes + 17, 5, &size) || !read_digits(bytes + 22, 2, &sum))
		return false;
	message->length = (uint32_t)size;
	return sum == mix(message) >> 54;
}

/* ---- the body ---- */

/* The bytes of the body from offset on. *length is reduced to as many as are contiguous. */
static const char *
slice(const struct message *message, uint32_t offset, uint32_t *length)
{
	uint32_t start = (uint32_t)(mix(message) % SLICE_STARTS);

	/* A long message repeats the table. */
	start = (start + offset) % TABLE_SIZE;
	if (*length > 2 * TABLE_SIZE - start)
		*length = 2 * TABLE_SIZE - start;
	return table + start;
}

static bool
ends_line(const struct message *message, uint32_t offset, uint32_t length)
{
	return framing == MESSAGE_LINE && length > 0 && offset + length == message->length;
}

void
message_write(const struct message *message, uint32_t offset, char *bytes, uint32_t length)
{
	char head[4 + MESSAGE_HEAD];
	uint32_t head_length, done = 0;

	CHECK(offset + length <= message->length);
	if (requests != NULL) {
		template_write(template_of(message), message->ticket, offset, bytes, length);
		return;
	}
	head_length = offset < sizeof head ? write_head(message, head) : 0;
	if (offset < head_length) {
		done = head_length - offset < length ? head_length - offset : length;
		memcpy(bytes, head + offset, done);
	}
	while (done < length) {
		uint32_t part = length - done;
		const char *body = slice(message, offset + done, &part);

		memcpy(bytes + done, body, part);
		done += part;
	}
	if (ends_line(message, offset, length))
		bytes[length - 1] = '\n';
}

/* ---- comparing ---- */

static uint32_t
common(const char *a, const char *b, uint32_t length)
{
	uint32_t same = 0;

	if (memcmp(a, b, length) == 0)
		return length;
	while (a[same] == b[same])
		same++;
	return same;
}

/* A byte of the length prefix may look like a letter to a server that upper-cases. */
static bool
is_same(char got, char expected, uint32_t offset)
{
	return got == expected ||
	       (offset < prefix_length() && got == toupper((unsigned char)expected));
}

static uint32_t
compare(const struct message *message, uint32_t offset, const char *bytes, uint32_t length,
	enum message_verify how)
{
	char head[4 + MESSAGE_HEAD];
	uint32_t head_length, done = 0, end = length;

	if (how == MESSAGE_NONE)
		return length;
	if (requests != NULL)
		return template_compare(
			template_of(message), message->ticket, offset, bytes, length);
	head_length = offset < sizeof head ? write_head(message, head) : 0;
	if (offset < head_length) {
		uint32_t part = head_length - offset < length ? head_length - offset : length;

		while (done < part && is_same(bytes[done], head[offset + done], offset + done))
			done++;
		if (done < part)
			return done;
	}
	if (how == MESSAGE_HEADER)
		return length;
	if (ends_line(message, offset, length))
		end--;
	while (done < end) {
		uint32_t part = end - done, same;
		const char *body = slice(message, offset + done, &part);

		same = common(bytes + done, body, part);
		done += same;
		if (same < part)
			return done;
	}
	return end < length && bytes[end] != '\n' ? end : length;
}

uint32_t
message_compare(const struct message *message, uint32_t offset, const char *bytes, uint32_t length)
{
	return compare(message, offset, bytes, length, verify);
}

/* ---- what went wrong ---- */

/* Whether the received bytes from at on continue the message from offset on, as far as there are
 * bytes to compare. */
static bool
continues(const struct message *message, const char *bytes, size_t length, ptrdiff_t at,
	ptrdiff_t offset)
{
	size_t room;

	if (at < 0 || (size_t)at >= length || offset < 0 || offset >= message->length)
		return false;
	room = length - (size_t)at;
	if (room > message->length - (size_t)offset)
		room = message->length - (size_t)offset;
	if (room > 64)
		room = 64;
	return room >= DIAGNOSE_MATCH &&
	       compare(message, (uint32_t)offset, bytes + at, (uint32_t)room, MESSAGE_FULL) == room;
}

/* Whether the head of the next message is at bytes[at]. */
static bool
next_begins(const struct message *message, const char *bytes, size_t length, ptrdiff_t at)
{
	struct message found;

	if (at < 0 || (size_t)at >= length)
		return false;
	return message_read_head(bytes + at, length - (size_t)at, &found) &&
	       found.connection == message->connection && found.sequence == message->sequence + 1;
}

/* Whether the bytes from at on are exactly the end of the message, from offset on. */
static bool
ends(const struct message *message, const char *bytes, size_t length, ptrdiff_t at,
	ptrdiff_t offset)
{
	size_t rest = length - (size_t)at;

	return offset < message->length && rest == message->length - (size_t)offset &&
	       compare(message, (uint32_t)offset, bytes + at, (uint32_t)rest, MESSAGE_FULL) == rest;
}

enum message_fault
message_diagnose(const struct message *message, const char *bytes, size_t length, ptrdiff_t start,
	size_t wrong, struct message *other)
{
	ptrdiff_t head = start + (ptrdiff_t)prefix_length(), at = (ptrdiff_t)wrong,
		  offset = at - start, end = start + (ptrdiff_t)message->length;

	if (head >= 0 && (size_t)head < length &&
		message_read_head(bytes + head, length - (size_t)head, other)) {
		if (other->connection != message->connection)
			return MESSAGE_CROSSED;
		if (other->sequence != message->sequence)
			return other->sequence > message->sequence ? MESSAGE_REORDERED
								   : MESSAGE_DUPLICATE;
	}
	/* A few bytes missing or added: the rest fits if it is shifted. */
	for (ptrdiff_t shift = 1; shift <= 16; shift++) {
		if (continues(message, bytes, length, at, offset + shift) ||
			ends(message, bytes, length, at, offset + shift) ||
			next_begins(message, bytes, length, end - shift))
			return MESSAGE_TRUNCATED;
		if (continues(message, bytes, length, at + shift, offset) ||
			(next_begins(message, bytes, length, end + shift) &&
				!next_begins(message, bytes, length, end)))
			return MESSAGE_EXTRA;
	}
	/* A byte added at the end of what has been received so far. */
	if (offset == 0 && length - wrong < DIAGNOSE_MATCH)
		return MESSAGE_EXTRA;
	return MESSAGE_CORRUPT;
}
