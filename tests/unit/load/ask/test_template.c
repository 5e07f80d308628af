#include "tests/load/ask/template.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct template template;

static void
begin(void)
{
	template_setup(1);
}

static void
end(void)
{
	template_free(&template);
}

TestSuite(template, .init = begin, .fini = end);

static void
read(const char *text)
{
	const char *why = template_read(&template, text, strlen(text));

	cr_assert_null(why, "%s: %s", text, why);
}

/* The message of that number as a string; static until the next call. */
static const char *
made(uint64_t number)
{
	static char bytes[1024];
	uint32_t length = template_length(&template, number);

	cr_assert_lt(length, sizeof bytes);
	template_write(&template, number, 0, bytes, length);
	bytes[length] = '\0';
	return bytes;
}

Test(template, escapes_are_bytes)
{
	read("a\\r\\n\\t\\\\\\x00\\xfF\\\nb{}");
	cr_assert_eq(template_length(&template, 0), 10);
	cr_assert_arr_eq(made(0),
		"a\r\n\t\\\0\xff"
		"b{}",
		10);
}

Test(template, a_counter_is_the_messages_number)
{
	read("<\\{counter}>");
	cr_assert_str_eq(made(0), "<0>");
	cr_assert_str_eq(made(12345678901), "<12345678901>");
	template_free(&template);
	read("\\{counter:0998}|\\{counter:7}");
	cr_assert_str_eq(made(1), "0999|8");
	cr_assert_str_eq(made(9002), "10000|9009");
}

Test(template, random_numbers_keep_their_range_and_width)
{
	unsigned seen = 0; /* a bit for each of the three numbers */

	read("\\{random:08-10} \\{random:5-5}");
	for (uint64_t i = 0; i < 100; i++) {
		int number = atoi(made(i));

		cr_assert(number >= 8 && number <= 10 && strlen(made(i)) == 4, "%s", made(i));
		seen |= 1u << (number - 8);
		cr_assert_str_eq(made(i) + 2, " 5");
	}
	cr_assert_eq(seen, 7);
}

Test(template, the_same_random_part_of_another_template_is_the_same)
{
	char first[1024];

	read("SET \\{random:0-1000000} \\{letters:20}");
	snprintf(first, sizeof first, "%s", made(77) + strlen("SET "));
	cr_assert_str_neq(made(78) + strlen("SET "), first);
	template_free(&template);
	read("\\{random:0-1000000} \\{letters:20}");
	cr_assert_str_eq(made(77), first);
	template_setup(2);
	cr_assert_str_neq(made(77), first);
}

Test(template, parts_written_and_compared_are_the_whole_whatever_the_cuts)
{
	static char whole[300000], part[300000];
	uint32_t length;

	read("GET /\\{counter:009} \\{letters:200000} \\{random:1-99999}\\r\\n");
	length = template_length(&template, 5);
	template_write(&template, 5, 0, whole, length);
	cr_assert_eq(strspn(whole + 9, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_"),
		200000);
	for (uint32_t size = 1; size < length; size = size * 3 + 1) {
		for (uint32_t at = 0; at < length && at < 40 * size; at += size) {
			uint32_t room = size < length - at ? size : length - at;

			template_write(&template, 5, at, part, room);
			cr_assert_arr_eq(part, whole + at, room);
			cr_assert_eq(template_compare(&template, 5, at, whole + at, room), room);
		}
	}
	for (uint32_t at = 0; at < length; at += 997) {
		whole[at] ^= 1;
		cr_assert_eq(template_compare(&template, 5, 0, whole, length), at);
		whole[at] ^= 1;
	}
}

Test(template, weight_and_end_make_no_bytes)
{
	read("\\{weight:2.5}x\\{end}");
	cr_assert_str_eq(made(0), "x");
	cr_assert_eq(template.weight, 2.5);
	cr_assert(template.ends);
}

Test(template, what_is_wrong_is_said)
{
	static const char *const cases[][2] = {{"a\\q", "there is no \\q"}, {"a\\", "at the end"},
		{"\\x4", "two hexadecimal"}, {"\\x-1", "two hexadecimal"},
		{"\\xg0", "two hexadecimal"}, {"\\{counter", "without its }"},
		{"\\{count}", "there is no \\{count}"}, {"\\{counter:x}", "FIRST"},
		{"\\{counter:99999999999999999999}", "FIRST"}, {"\\{random}", "LOW-HIGH"},
		{"\\{random:9-1}", "LOW-HIGH"}, {"\\{random:1-2-3}", "LOW-HIGH"},
		{"\\{letters:0}", "1 to 16Mi"}, {"\\{letters:17Mi}", "1 to 16Mi"},
		{"\\{letters:16Mi}\\{letters:1}", "longer than"}, {"\\{weight:0}", "above 0"},
		{"\\{weight}", "above 0"}, {"\\{end}x", "follows"}};
	char many[TEMPLATE_PARTS_MAX * 12 + 16] = "";

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *why = template_read(&template, cases[i][0], strlen(cases[i][0]));

		cr_assert_not_null(why, "%s", cases[i][0]);
		cr_assert_not_null(strstr(why, cases[i][1]), "%s: %s", cases[i][0], why);
	}
	for (int i = 0; i <= TEMPLATE_PARTS_MAX; i++)
		strcat(many, "\\{counter}");
	cr_assert_not_null(template_read(&template, many, strlen(many)));
}
