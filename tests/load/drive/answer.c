/* A reply comes in pieces from its parser; those that are text are compared with the expectation at
 * once, so nothing is stored. A reply by which the service refuses is an error, not a wrong one,
 * whatever is expected: it is honest, and the next may be right. */
#include "tests/load/drive/answer.h"

#include <stdio.h>

const char *
answer_hex(char text[static ANSWER_HEX_SIZE], const char *bytes, size_t length)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < length && i < ANSWER_SHOWN; i++)
		used += (size_t)snprintf(text + used, ANSWER_HEX_SIZE - used, "%s%02x",
			i > 0 ? " " : "", (unsigned char)bytes[i]);
	return text;
}

/* The part of the reply that expectations are about. */
static const char *
part_of(const struct reply_form *form)
{
	return form->kind == REPLY_HTTP    ? "of status, blank and body"
	       : form->kind == REPLY_LEN32 ? "behind the length"
					   : "of the reply";
}

/* The reply differs from what is expected at that byte; bytes are what came instead. */
static enum answer
differ(const struct answer_rule *rule, struct reply *reply, enum message_fault kind, uint64_t at,
	const char *bytes, size_t length, struct answer_fault *fault)
{
	char wanted[ANSWER_SHOWN], wanted_hex[ANSWER_HEX_SIZE], got_hex[ANSWER_HEX_SIZE];
	uint32_t all = template_length(rule->expected, rule->ticket), room;

	reply->is_unexpected = true;
	if (reply->is_error)
		return ANSWER_GOES_ON;
	room = at < all ? all - (uint32_t)at : 0;
	if (room > sizeof wanted)
		room = sizeof wanted;
	template_write(rule->expected, rule->ticket, (uint32_t)at, wanted, room);
	fault->kind = kind;
	snprintf(fault->text, sizeof fault->text, "offset %llu %s: expected %s, got %s",
		(unsigned long long)at, part_of(rule->form),
		room > 0 ? answer_hex(wanted_hex, wanted, room) : "the end",
		length > 0 ? answer_hex(got_hex, bytes, length) : "the end");
	return ANSWER_WRONG;
}

/* Compares text that came with the expectation. */
static enum answer
compare(const struct answer_rule *rule, struct reply *reply, const struct reply_piece *piece,
	struct answer_fault *fault)
{
	uint64_t at = reply->compared;
	uint32_t all, room, same;

	reply->compared += piece->text_length;
	if (rule->expected == NULL || piece->text_length == 0 || reply->is_unexpected)
		return ANSWER_GOES_ON;
	all = template_length(rule->expected, rule->ticket);
	room = at < all ? all - (uint32_t)at : 0;
	if (room > piece->text_length)
		room = (uint32_t)piece->text_length;
	same = template_compare(rule->expected, rule->ticket, (uint32_t)at, piece->text, room);
	if (same < room)
		return differ(rule, reply, MESSAGE_CORRUPT, at + same, piece->text + same,
			piece->text_length - same, fault);
	if (rule->expected->ends && room < piece->text_length)
		return differ(rule, reply, MESSAGE_EXTRA, at + room, piece->text + room,
			piece->text_length - room, fault);
	return ANSWER_GOES_ON;
}

/* Judges a complete reply. */
static enum answer
conclude(const struct answer_rule *rule, struct reply *reply, struct answer_fault *fault)
{
	if (rule->expected != NULL && !reply->is_unexpected &&
		reply->compared < template_length(rule->expected, rule->ticket) &&
		differ(rule, reply, MESSAGE_TRUNCATED, reply->compared, NULL, 0, fault) ==
			ANSWER_WRONG)
		return ANSWER_WRONG;
	return reply->is_error && (reply->is_unexpected || rule->expected == NULL) ? ANSWER_REFUSED
										   : ANSWER_RIGHT;
}

enum answer
answer_take(const struct answer_rule *rule, struct reply *reply, uint64_t offset, const char *bytes,
	size_t length, size_t *taken, struct answer_fault *fault)
{
	*taken = 0;
	while (*taken < length) {
		struct reply_piece piece =
			reply_take(rule->form, reply, bytes + *taken, length - *taken);
		char hex[ANSWER_HEX_SIZE];

		*taken += piece.length;
		if (piece.fault != NULL) {
			fault->kind = MESSAGE_CORRUPT;
			snprintf(fault->text, sizeof fault->text,
				"offset %llu of the reply: %s, got %s",
				(unsigned long long)offset + *taken, piece.fault,
				answer_hex(hex, bytes + *taken, length - *taken));
			return ANSWER_WRONG;
		}
		if (compare(rule, reply, &piece, fault) == ANSWER_WRONG)
			return ANSWER_WRONG;
		if (piece.is_whole)
			return conclude(rule, reply, fault);
	}
	return ANSWER_GOES_ON;
}

enum answer
answer_end(const struct answer_rule *rule, struct reply *reply, struct answer_fault *fault)
{
	return reply_ends_by_close(rule->form, reply) ? conclude(rule, reply, fault)
						      : ANSWER_GOES_ON;
}
