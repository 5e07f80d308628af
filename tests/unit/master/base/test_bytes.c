#include "master/base/bytes.h"

#include <criterion/criterion.h>
#include <string.h>

Test(bytes, what_is_read_is_what_was_written)
{
	static const char *const texts[] = {
		"", "/run/a.sock", "/run/\xc3\xa9", "\xff", "a\x80\x01"};
	char text[16], cut[4];

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		json_t *json = bytes_json(texts[i]);

		cr_assert_str_eq(bytes_read(json, text, sizeof text), texts[i]);
		bytes_read(json, cut, sizeof cut);
		cr_assert_eq(strncmp(cut, texts[i], sizeof cut - 1), 0);
		json_decref(json);
	}
}

Test(bytes, what_is_neither_is_no_text)
{
	json_t *null = bytes_json(NULL);
	char text[4] = "abc";

	cr_assert(json_is_null(null));
	cr_assert_str_empty(bytes_read(null, text, sizeof text));
	cr_assert_str_empty(bytes_read(NULL, text, sizeof text));
}
