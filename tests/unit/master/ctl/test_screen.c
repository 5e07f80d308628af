#include "master/ctl/screen.h"

#include <criterion/criterion.h>
#include <string.h>

static struct screen_lines lines;

static void
end(void)
{
	screen_free(&lines);
}

TestSuite(screen, .fini = end, .timeout = 60);

static const char *
fitted(const char *text, int width)
{
	static char line[SCREEN_LINE_SIZE];

	strcpy(line, text);
	screen_fit(line, width);
	return line;
}

Test(screen, cuts_between_characters)
{
	cr_assert_str_eq(fitted("abcd", 4), "abcd");
	cr_assert_str_eq(fitted("abcde", 4), "abc~");
	cr_assert_str_eq(fitted("\303\244\303\266\303\274", 3), "\303\244\303\266\303\274");
	cr_assert_str_eq(fitted("\303\244\303\266\303\274\303\237", 3), "\303\244\303\266~");
	cr_assert_str_eq(fitted("a\033[2Jb", 9), "a?[2Jb", "no control characters");
	cr_assert_str_eq(fitted("", 3), "");
}

Test(screen, joins_what_fits)
{
	char line[SCREEN_LINE_SIZE] = "";

	screen_join(line, 10, "%s", "four");
	screen_join(line, 10, "%d", 12345);
	screen_join(line, 10, "%d", 1234);
	screen_join(line, 10, "%d", 1);
	cr_assert_str_eq(line, "four  1234");
}

static const char *
text_of(size_t line)
{
	return lines.each[line].text;
}

/* Returns how many lines an explanation has. */
static size_t
explained(int width)
{
	screen_free(&lines);
	lines = (struct screen_lines){.width = width};
	screen_explain(&lines, "word", "what it means, and a longer text than fits the screen");
	for (size_t i = 0; i < lines.count; i++)
		cr_assert_leq((int)strlen(text_of(i)), width, "%s", text_of(i));
	return lines.count;
}

Test(screen, wraps_between_words)
{
	cr_assert_eq(explained(100), 1);
	cr_assert_str_eq(text_of(0),
		"word                  what it means, and a longer text than fits the screen ");
	cr_assert_eq(explained(30), 3);
	cr_assert_str_eq(text_of(0), "word");
	cr_assert_str_eq(text_of(1), "  what it means, and a longer ");
	explained(1);
}

static size_t
heading_of(size_t line)
{
	return lines.headings[line];
}

Test(screen, knows_the_heading_of_each_line)
{
	lines.width = 10;
	screen_add(&lines, SCREEN_HEADING, "first");
	screen_add(&lines, SCREEN_PLAIN, "a line that is too long");
	screen_add(&lines, SCREEN_HEADING, "second");
	for (int i = 0; i < 1000; i++)
		screen_add(&lines, SCREEN_PLAIN, "%d", i);
	cr_assert_eq(lines.count, 1003);
	cr_assert_str_eq(text_of(1), "a line th~");
	cr_assert_eq(heading_of(1), 0);
	cr_assert_eq(heading_of(2), 0, "that of the table above");
	cr_assert_eq(heading_of(1002), 2);
}
