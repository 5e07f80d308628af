#include "master/start/arguments.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/hubbub-arguments-XXXXXX";

static void
write_file(const char *text)
{
	int fd = mkstemp(path);

	cr_assert_neq(fd, -1);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* All of them, in one text; NULL follows the last one. */
static const char *
expanded(const struct arguments *arguments)
{
	static char text[256];
	size_t length = 0;

	for (int i = 0; i < (int)arguments->count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
			i > 0 ? "|" : "", arguments->items[i]);
	cr_assert_null(arguments->items[arguments->count]);
	return text;
}

Test(arguments, a_file_stands_for_its_lines)
{
	char at[64], error[256], *argv[] = {"name", "--pin", at, "last", NULL};
	struct arguments arguments;

	write_file("# a comment\n--listen=:1\n\n  --processes=2  \n");
	snprintf(at, sizeof at, "@%s", path);
	cr_assert_eq(arguments_expand(&arguments, 4, argv, NULL, NULL, error, sizeof error), 0);
	unlink(path);
	cr_assert_str_eq(expanded(&arguments), "name|--pin|--listen=:1|--processes=2|last");
	arguments_free(&arguments);
}

Test(arguments, a_file_that_cannot_be_read_is_named)
{
	char error[256], *argv[] = {"name", "@/no/such/file", NULL};
	struct arguments arguments;

	cr_assert_eq(arguments_expand(&arguments, 2, argv, NULL, NULL, error, sizeof error), -1);
	arguments_free(&arguments);
	cr_assert_not_null(strstr(error, "@/no/such/file"));
	cr_assert_not_null(strstr(error, "No such file"));
}

Test(arguments, each_is_known_by_its_file_and_line)
{
	char at[64], text[96], expected[96], error[256], *argv[] = {"name", at, "last", NULL};
	struct arguments arguments;

	write_file("\n--a\n# no\r\n--b c");
	snprintf(at, sizeof at, "@%s", path);
	cr_assert_eq(arguments_expand(&arguments, 3, argv, NULL, NULL, error, sizeof error), 0);
	unlink(path);
	cr_assert_eq(arguments.count, 5);
	cr_assert_str_empty(arguments_place(&arguments, 0, text, sizeof text));
	snprintf(expected, sizeof expected, "%s:2: ", path);
	cr_assert_str_eq(arguments_place(&arguments, 1, text, sizeof text), expected);
	snprintf(expected, sizeof expected, "%s:4: ", path);
	cr_assert_str_eq(arguments_place(&arguments, 3, text, sizeof text), expected);
	cr_assert_str_empty(arguments_place(&arguments, 4, text, sizeof text));
	cr_assert_str_empty(arguments_place(&arguments, 5, text, sizeof text));
	arguments_free(&arguments);
}
