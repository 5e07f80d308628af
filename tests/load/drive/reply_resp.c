/* RESP2: a value is a type, a line, and for a bulk string so many bytes. Arrays nest, but the end
 * of the outermost one is that of the last value in it, so it is enough to count the values that
 * are still to come. */
#include "tests/load/drive/reply_resp.h"

#include <ctype.h>
#include <string.h>

#define BULK_MAX (UINT64_C(1) << 40) /* bytes of a bulk string, and elements of an array */
#define VALUES_MAX (UINT32_C(1) << 31)

enum state {
	STATE_TYPE,
	STATE_LINE,   /* up to its carriage return */
	STATE_NUMBER, /* the same, of digits */
	STATE_END,    /* the newline behind it */
	STATE_BULK,
	STATE_BULK_RETURN,
	STATE_BULK_END
};

/* Takes the type of a value. Returns what is wrong, or NULL. */
static const char *
begin_value(struct reply *reply, char type, bool is_first)
{
	if (strchr("+-:$*", type) == NULL || type == '\0')
		return "a value of RESP begins with one of + - : $ *";
	reply->type = (uint8_t)type;
	reply->state = strchr(":$*", type) != NULL ? STATE_NUMBER : STATE_LINE;
	reply->left = reply->digits = 0;
	reply->is_negative = false;
	if (is_first)
		reply->is_error = type == '-';
	return NULL;
}

static const char *
take_digit(struct reply *reply, char byte)
{
	if (byte == '-' && reply->digits == 0 && !reply->is_negative) {
		reply->is_negative = true;
		return NULL;
	}
	if (byte == '\r' && reply->digits > 0) {
		reply->state = STATE_END;
		return NULL;
	}
	if (!isdigit((unsigned char)byte))
		return "a digit should be here";
	if (reply->type != ':' && reply->left > BULK_MAX)
		return "the number is too large";
	reply->left = reply->left * 10 + (uint64_t)(byte - '0');
	reply->digits = 1;
	return NULL;
}

/* Takes the newline of a line. Returns what is wrong, or NULL; *is_done becomes whether the value
 * is complete. */
static const char *
end_line(struct reply *reply, char byte, bool *is_done)
{
	if (byte != '\n')
		return "a newline should be here";
	/* Nothing. */
	if (reply->is_negative && reply->type != ':' && reply->left != 1)
		return "only -1 is a length below 0";
	reply->state = STATE_TYPE;
	*is_done = true;
	if (reply->is_negative || (reply->type != '$' && reply->type != '*'))
		return NULL;
	if (reply->type == '$') {
		reply->state = reply->left > 0 ? STATE_BULK : STATE_BULK_RETURN;
		*is_done = false;
		return NULL;
	}
	if (reply->left + reply->values > VALUES_MAX)
		return "the array is too long";
	/* The array itself is one of the values that were to come. */
	reply->values += (uint32_t)reply->left;
	return NULL;
}

/* Takes one byte, or many of a bulk string. */
static const char *
take_some(struct reply *reply, const char *bytes, size_t length, size_t *taken, bool *is_done)
{
	*taken = 1;
	switch ((enum state)reply->state) {
	case STATE_TYPE:
		/* The first value is the one that is being read. */
		return begin_value(reply, *bytes, reply->type == 0);
	case STATE_LINE:
		if (*bytes == '\r')
			reply->state = STATE_END;
		return *bytes != '\n' ? NULL : "a carriage return should be here";
	case STATE_NUMBER:
		return take_digit(reply, *bytes);
	case STATE_END:
		return end_line(reply, *bytes, is_done);
	case STATE_BULK:
		*taken = length < reply->left ? length : reply->left;
		reply->left -= *taken;
		if (reply->left == 0)
			reply->state = STATE_BULK_RETURN;
		return NULL;
	case STATE_BULK_RETURN:
		reply->state = STATE_BULK_END;
		return *bytes == '\r' ? NULL : "a carriage return should be here";
	case STATE_BULK_END:
		reply->state = STATE_TYPE;
		*is_done = *bytes == '\n';
		return *is_done ? NULL : "a newline should be here";
	}
	return NULL;
}

struct reply_piece
reply_resp_take(
	const struct reply_form *form, struct reply *reply, const char *bytes, size_t length)
{
	size_t at = 0, taken;

	(void)form;
	while (at < length) {
		bool is_done = false;
		const char *fault = take_some(reply, bytes + at, length - at, &taken, &is_done);

		if (fault != NULL)
			return reply_fault(at, fault);
		at += taken;
		if (is_done && reply->values == 0)
			return reply_text(bytes, at, true);
		reply->values -= is_done;
	}
	return reply_text(bytes, at, false);
}
