#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/load/show/json_read.h"

static struct json_reading reading = {.name = "a.json"};

static void
begin(void)
{
	reading.json = json_pack("{s:{s:i, s:f, s:n, s:s, s:b, s:[i]}}", "a", "whole", 5, "real",
		1.5, "nothing", "text", "some", "flag", 1, "array", 1);
	cr_assert_not_null(freopen("/dev/null", "w", stderr));
}

static void
end(void)
{
	json_decref((json_t *)(uintptr_t)reading.json);
}

TestSuite(json_read, .init = begin, .fini = end);

Test(json_read, values_are_what_they_should_be)
{
	static const char *const words[] = {"other", "some"};
	char text[3] = "";

	cr_assert_eq(json_take_whole(&reading, "a.whole", 5), 5);
	cr_assert_eq(json_take_real(&reading, "a.real", 2), 1.5);
	cr_assert_eq(json_take_whole_or(&reading, "a.nothing", 5, 9), 9);
	cr_assert_eq(json_take_word(&reading, "a.text", words, 2), 1);
	cr_assert(json_take_flag(&reading, "a.flag"));
	cr_assert_not_null(json_take_array(&reading, "a.array", 1));
	json_take_text(&reading, "a.text", text, sizeof text);
	cr_assert_str_eq(text, "so");
	cr_assert_not(reading.is_bad);
}

Test(json_read, others_are_refused)
{
	static const char *const paths[] = {"a.missing", "a.text", "a", "b.c", "a.flag", "a.real"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		reading.is_bad = false;
		cr_assert_eq(json_take_whole(&reading, paths[i], 5), 0, "%s", paths[i]);
		cr_assert(reading.is_bad, "%s", paths[i]);
	}
	reading.is_bad = false;
	cr_assert_eq(json_take_whole(&reading, "a.whole", 4), 0);
	cr_assert(reading.is_bad, "too large");
	reading.is_bad = false;
	cr_assert_null(json_take_array(&reading, "a.array", 0));
	cr_assert(reading.is_bad, "too long");
}
