/* A table with a row for each kind of reply: the parser that finds its end. */
#include "tests/load/drive/reply.h"

#include <string.h>

#include "hub/base/check.h"
#include "tests/load/drive/reply_http.h"
#include "tests/load/drive/reply_resp.h"

static struct reply_piece
take_line(const struct reply_form *form, struct reply *reply, const char *bytes, size_t length)
{
	const char *newline = memchr(bytes, '\n', length);

	(void)form;
	(void)reply;
	return reply_text(
		bytes, newline != NULL ? (size_t)(newline - bytes) + 1 : length, newline != NULL);
}

/* left is the number of bytes of the body once all four bytes of length have come. */
static struct reply_piece
take_len32(const struct reply_form *form, struct reply *reply, const char *bytes, size_t length)
{
	size_t taken = 0;

	(void)form;
	if (reply->digits < 4) {
		for (; taken < length && reply->digits < 4; reply->digits++)
			reply->left = reply->left << 8 | (unsigned char)bytes[taken++];
		return (struct reply_piece){
			.length = taken, .is_whole = reply->digits == 4 && reply->left == 0};
	}
	if (length > reply->left)
		length = reply->left;
	reply->left -= length;
	return reply_text(bytes, length, reply->left == 0);
}

/* left is how many bytes of the mark match. */
static struct reply_piece
take_until(const struct reply_form *form, struct reply *reply, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		while (reply->left > 0 && bytes[i] != form->mark[reply->left])
			reply->left = form->falls[reply->left - 1];
		reply->left += bytes[i] == form->mark[reply->left];
		if (reply->left == form->mark_length)
			return reply_text(bytes, i + 1, true);
	}
	return reply_text(bytes, length, false);
}

/* left is how many bytes have come. */
static struct reply_piece
take_bytes(const struct reply_form *form, struct reply *reply, const char *bytes, size_t length)
{
	if (length > form->length - reply->left)
		length = form->length - reply->left;
	reply->left += length;
	return reply_text(bytes, length, reply->left == form->length);
}

static struct reply_piece (*const takers[REPLY_KIND_MAX])(
	const struct reply_form *, struct reply *, const char *, size_t) = {
	[REPLY_LINE] = take_line,
	[REPLY_LEN32] = take_len32,
	[REPLY_UNTIL] = take_until,
	[REPLY_BYTES] = take_bytes,
	[REPLY_HTTP] = reply_http_take,
	[REPLY_RESP] = reply_resp_take,
};

struct reply_piece
reply_take(const struct reply_form *form, struct reply *reply, const char *bytes, size_t length)
{
	CHECK(takers[form->kind] != NULL && length > 0);
	return takers[form->kind](form, reply, bytes, length);
}

bool
reply_ends_by_close(const struct reply_form *form, const struct reply *reply)
{
	return form->kind == REPLY_HTTP && reply_http_is_open_ended(reply);
}
