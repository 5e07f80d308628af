#include "master/printable.h"

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
