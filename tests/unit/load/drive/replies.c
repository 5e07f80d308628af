/* Each piece is copied into memory of its own size, so that valgrind and AddressSanitizer see a
 * parser that reads beyond it. */
#include "tests/unit/load/drive/replies.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NEXT "HTTP+1\n" /* what follows a reply: no parser may take it */

struct feed {
	struct reply_form form;
	struct reply reply;
	char text[4096];
	size_t text_length;
	size_t taken;
	bool is_whole;
	const char *fault;
};

static void
begin(struct feed *feed, const char *kind, bool is_head)
{
	const char *why;

	memset(feed, 0, sizeof *feed);
	why = reply_form_read(kind, &feed->form);
	cr_assert_null(why, "%s: %s", kind, why);
	feed->reply.is_head = is_head;
}

static void
take(struct feed *feed, const char *bytes, size_t length)
{
	char *copy = malloc(length + (length == 0));

	cr_assert_not_null(copy);
	memcpy(copy, bytes, length);
	for (size_t at = 0; at < length && !feed->is_whole && feed->fault == NULL;) {
		struct reply_piece piece =
			reply_take(&feed->form, &feed->reply, copy + at, length - at);

		cr_assert_leq(piece.length, length - at);
		cr_assert(piece.length > 0 || piece.fault != NULL);
		cr_assert_lt(feed->text_length + piece.text_length, sizeof feed->text);
		if (piece.text_length > 0)
			memcpy(feed->text + feed->text_length, piece.text, piece.text_length);
		feed->text_length += piece.text_length;
		feed->taken += piece.length;
		feed->is_whole = piece.is_whole;
		feed->fault = piece.fault;
		at += piece.length;
	}
	free(copy);
}

/* Bytes of a case; \0 of len32 are written as '0'. */
static size_t
bytes_of(const struct reply_case *expected, char *bytes)
{
	size_t length = strlen(expected->bytes);

	memcpy(bytes, expected->bytes, length + 1);
	for (size_t i = 0; strcmp(expected->kind, "len32") == 0 && i < 4; i++)
		bytes[i] = (char)(bytes[i] - '0');
	return length;
}

static bool
has(const struct reply_case *expected, char flag)
{
	return expected->flags != NULL && strchr(expected->flags, flag) != NULL;
}

static void
check(const struct reply_case *expected, const struct feed *feed, size_t length, size_t cut)
{
	const char *text = expected->text != NULL ? expected->text : expected->bytes;
	bool is_open = has(expected, 'o');

	cr_assert_null(feed->fault, "%s cut at %zu: %s", expected->bytes, cut, feed->fault);
	cr_assert_neq(feed->is_whole, is_open, "%s cut at %zu", expected->bytes, cut);
	cr_assert(!is_open || reply_ends_by_close(&feed->form, &feed->reply));
	cr_assert_eq(feed->taken, length, "%s cut at %zu: %zu", expected->bytes, cut, feed->taken);
	cr_assert_eq(feed->text_length, strlen(text), "%s cut at %zu: '%s'", expected->bytes, cut,
		feed->text);
	cr_assert_arr_eq(feed->text, text, feed->text_length);
	cr_assert_eq(feed->reply.is_error, has(expected, 'e'), "%s", expected->bytes);
	cr_assert_eq(feed->reply.closes, has(expected, 'c'), "%s", expected->bytes);
}

void
replies_expect(const struct reply_case *expected)
{
	static struct feed feed;
	char bytes[4096];
	size_t length = bytes_of(expected, bytes), all = length;

	if (!has(expected, 'o')) {
		strcpy(bytes + length, NEXT);
		all += strlen(NEXT);
	}
	for (size_t cut = 0; cut <= length; cut++) {
		begin(&feed, expected->kind, has(expected, 'h'));
		take(&feed, bytes, cut);
		cr_assert(!feed.is_whole || cut == length, "%s ends at %zu", bytes, cut);
		take(&feed, bytes + cut, all - cut);
		check(expected, &feed, length, cut);
	}
	begin(&feed, expected->kind, has(expected, 'h'));
	for (size_t at = 0; at < all && !feed.is_whole; at++)
		take(&feed, bytes + at, 1);
	check(expected, &feed, length, 1);
}

void
replies_refuse(const char *kind, const char *bytes, size_t offset)
{
	static struct feed feed;
	size_t length = strlen(bytes);

	begin(&feed, kind, false);
	take(&feed, bytes, length);
	cr_assert_not_null(feed.fault, "%s", bytes);
	cr_assert_eq(feed.taken, offset, "%s: %zu, %s", bytes, feed.taken, feed.fault);
	begin(&feed, kind, false);
	for (size_t at = 0; at < length && feed.fault == NULL; at++)
		take(&feed, bytes + at, 1);
	cr_assert_eq(feed.taken, offset, "%s: %zu", bytes, feed.taken);
}
