#include "tests/load/ask/reply_form.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct reply_form form;

Test(reply_form, each_kind_has_a_word)
{
	for (unsigned kind = 0; kind < REPLY_KIND_MAX; kind++) {
		char text[32];
		bool has_value = kind == REPLY_UNTIL || kind == REPLY_BYTES;

		snprintf(text, sizeof text, "%s%s", reply_kind_names[kind], has_value ? ":7" : "");
		cr_assert_null(reply_form_read(text, &form), "%s", text);
		cr_assert_eq(form.kind, kind);
		/* The other way round. */
		snprintf(text, sizeof text, "%s%s", reply_kind_names[kind], has_value ? "" : ":7");
		cr_assert_not_null(reply_form_read(text, &form), "%s", text);
	}
	cr_assert_null(reply_form_read("bytes:4Ki", &form));
	cr_assert_eq(form.length, 4096);
	cr_assert_null(reply_form_read("until:\\r\\n", &form));
	cr_assert_eq(form.mark_length, 2);
	cr_assert_arr_eq(form.mark, "\r\n", 2);
}

Test(reply_form, other_words_are_refused)
{
	static const char *const wrong[] = {"", "lines", "lin", "bytes:0", "bytes:x", "bytes:1.5",
		"until:", "until:\\{counter}", "until:\\q", "http:1", ":"};
	char mark[REPLY_MARK_MAX + 16] = "until:";

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_not_null(reply_form_read(wrong[i], &form), "%s", wrong[i]);
	memset(mark + 6, 'x', REPLY_MARK_MAX + 1);
	mark[6 + REPLY_MARK_MAX + 1] = '\0';
	cr_assert_not_null(reply_form_read(mark, &form));
	mark[6 + REPLY_MARK_MAX] = '\0';
	cr_assert_null(reply_form_read(mark, &form));
}
