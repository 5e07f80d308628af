/* Log lines as text: whatever the bytes are, there is one line, and each field can be told from
 * what is beside it. */
#include "hub/base/log_text.h"

#include <criterion/criterion.h>
#include <string.h>

/* An entry with the message, and with a field of each kind if value is not NULL. */
static const char *
text_of(const char *message, size_t length, const char *value, size_t most)
{
	static char text[512];
	struct log_field field = {"key", 3, value, value != NULL ? strlen(value) : 0, false};
	struct log_field worker = {"worker", 6, "0", 1, true};
	struct log_entry entry = {.message = message,
		.length = length,
		.fields = &field,
		.field_count = value != NULL,
		.context = &worker,
		.context_count = value != NULL};
	size_t written = log_text(text, sizeof text - 1, most, &entry);

	text[written < sizeof text ? written : 0] = '\0';
	return text;
}

#define MESSAGE(text) text_of(text, sizeof text - 1, NULL, 100)
#define VALUE(value) text_of("said", 4, value, 100)

Test(log_text, what_moves_the_cursor_or_is_no_character_is_escaped)
{
	cr_expect_str_eq(MESSAGE("plain \xc3\xa4 \xf0\x9f\x98\x80 \\ \"quoted\""),
		"plain \xc3\xa4 \xf0\x9f\x98\x80 \\ \"quoted\"");
	cr_expect_str_eq(MESSAGE("a\nb\rc\td\0e\x1b[2J\x7f"), "a\\nb\\rc\\td\\x00e\\x1b[2J\\x7f");
	/* NEL, a line separator, and an override of the direction. */
	cr_expect_str_eq(MESSAGE("\xc2\x85|\xe2\x80\xa8|\xe2\x80\xae|\xe2\x81\xa6"),
		"\\xc2\\x85|\\xe2\\x80\\xa8|\\xe2\\x80\\xae|\\xe2\\x81\\xa6");
	/* A byte alone, half a character, an overlong one, a surrogate, beyond the last one. */
	cr_expect_str_eq(MESSAGE("\xff|\xe2\x82|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80"),
		"\\xff|\\xe2\\x82|\\xc0\\xaf|\\xed\\xa0\\x80|\\xf4\\x90\\x80\\x80");
	cr_expect_str_eq(MESSAGE("\xe2\x82"), "\\xe2\\x82", "the end is not read beyond");
}

Test(log_text, a_value_is_quoted_where_its_end_would_be_in_doubt)
{
	cr_expect_str_eq(VALUE("plain"), "said key=plain worker=0");
	cr_expect_str_eq(VALUE(""), "said key=\"\" worker=0");
	cr_expect_str_eq(VALUE("x worker=7"), "said key=\"x worker=7\" worker=0");
	cr_expect_str_eq(VALUE("a\"b\\c\nd"), "said key=\"a\\\"b\\\\c\\nd\" worker=0");
	cr_expect_str_eq(VALUE("a=b"), "said key=\"a=b\" worker=0");
	cr_expect_str_eq(text_of("", 0, "x", 100), "key=x worker=0");
}

Test(log_text, a_text_is_cut_between_two_characters)
{
	cr_expect_str_eq(text_of("12345", 5, NULL, 5), "12345");
	cr_expect_str_eq(text_of("123456", 6, NULL, 5), "12345...");
	cr_expect_str_eq(text_of("1234\xc3\xa4", 6, NULL, 5), "1234...");
	cr_expect_str_eq(text_of("said", 4, "123456", 5), "said key=12345... worker=0");
	cr_expect_str_eq(text_of("\xa4\xa4\xa4", 3, NULL, 2), "...", "there is no first byte");
}

Test(log_text, what_has_no_room_is_told)
{
	struct log_entry entry = {.message = "12345", .length = 5};
	char text[8] = "";

	cr_expect_eq(log_text(text, 5, 100, &entry), 5);
	cr_expect_eq(log_text(text, 4, 100, &entry), 5, "above the size");
	cr_expect_eq(log_text(text, 0, 100, &entry), 1);
}
