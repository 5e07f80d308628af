#include "master/base/printable.h"

#include <criterion/criterion.h>

Test(printable, what_is_utf_8_is_kept_and_what_is_not_is_told_by_its_number)
{
	static const char *const texts[][2] = {{"", ""}, {"/run/\xc3\xa9", "/run/\xc3\xa9"},
		{"\xff", "\\xff"},
		{"/run/c\xe9 of \xc3\xa9\xe2\x82", "/run/c\\xe9 of \xc3\xa9\\xe2\\x82"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		json_t *json = printable_json(texts[i][0]);

		cr_assert_str_eq(json_string_value(json), texts[i][1]);
		json_decref(json);
	}
}

Test(printable, a_nul_among_bytes_is_told_by_its_number)
{
	json_t *json = printable_json_of("a\0\xc3\xa9\n\xff", 6);

	cr_assert_str_eq(json_string_value(json), "a\\x00\xc3\xa9\n\\xff");
	json_decref(json);
}

Test(printable, a_line_has_no_control_characters_and_whole_ones_alone)
{
	static const struct {
		const char *text;
		size_t size;
		const char *line;
	} cases[] = {
		{"a\nb\tc", 16, "a b c"},
		{"abc", 4, "abc"},
		{"abc", 3, "ab"},
		{"a\xc3\xa9", 4, "a\xc3\xa9"},
		{"a\xc3\xa9", 3, "a"},
		{"\xe2\x82\xac", 3, ""},
		{"c\xe9", 8, "c\\xe9"},
		{"", 1, ""},
		{"abc", 1, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char line[16];

		printable_line(cases[i].text, line, cases[i].size);
		cr_assert_str_eq(line, cases[i].line, "case %zu", i);
	}
}
