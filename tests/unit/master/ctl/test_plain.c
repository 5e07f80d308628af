#include "master/ctl/plain.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct {
	const char *from, *to;
} texts[] = {
	{"", ""},
	{"one\ttwo\nthree", "one\ttwo\nthree"},
	{"\x1b[31m red", "?[31m red"},
	{"\a\b\r\x7f", "????"},
	{"gr\xc3\xbc\xc3\x9f\xe2\x82\xac", "gr\xc3\xbc\xc3\x9f\xe2\x82\xac"},
	{"\xc2\x9b"
	 "31m \xc2\x80\xc2\x9f",
		"??31m ????"},
	{"\xc2\xa0 is a space", "\xc2\xa0 is a space"},
	{"cut \xc2", "cut \xc2"},
};

Test(plain, control_characters_become_question_marks)
{
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char text[64];

		snprintf(text, sizeof text, "%s", texts[i].from);
		plain(text);
		cr_expect_str_eq(text, texts[i].to, "%zu: %s", i, text);
	}
}
