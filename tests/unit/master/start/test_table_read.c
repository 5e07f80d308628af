/* How @FILEs and values on the command line are told apart, and what is said of what is wrong in
 * them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/start/table.h"

struct fields {
	bool flag;
	unsigned number;
	uint64_t large;
	const char *string;
	struct hubbub_list list;
};

#define FIELD(member) HUBBUB_FIELD(struct fields, member)

static const struct hubbub_option rows[] = {
	{.name = "flag", .help = "x", .kind = HUBBUB_FLAG, FIELD(flag)},
	{.name = "number",
		.values = "N",
		.help = "x",
		.kind = HUBBUB_NUMBER,
		FIELD(number),
		.least = 1},
	{.name = "large",
		.values = "N",
		.help = "x",
		.kind = HUBBUB_NUMBER,
		FIELD(large),
		.implied = "2"},
	{.name = "a-string",
		.values = "TEXT",
		.help = "x",
		.kind = HUBBUB_STRING,
		FIELD(string),
		.also = "text"},
	{.name = "list", .values = "ITEM", .help = "x", .kind = HUBBUB_LIST, FIELD(list)},
	{0},
};

static struct fields fields;
static struct arguments arguments;
static struct table_givens givens;
static char error[512], path[64];

static error_t
take(struct table *table, int key, char *value, struct argp_state *state)
{
	(void)state;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	table_complain(table, "'%s' is too much", value);
	return EINVAL;
}

static void
forget(void)
{
	arguments_free(&arguments);
	table_givens_free(&givens);
}

/* Reads up to four arguments. */
static bool
reads(const char *first, const char *second, const char *third, const char *fourth)
{
	const char *const given[] = {first, second, third, fourth};
	char *argv[6] = {"test"};
	struct table table = {.parts = {{rows, &fields}},
		.prefix = "TEST_",
		.take = take,
		.flags = ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP,
		.arguments = &arguments,
		.givens = &givens,
		.error = error,
		.error_size = sizeof error};
	int count = 1;

	for (int i = 0; i < 4 && given[i] != NULL; i++)
		argv[count++] = (char *)(uintptr_t)given[i];
	forget();
	fields = (struct fields){0};
	return table_read(&table, count, argv) == 0;
}

TestSuite(table_read, .fini = forget);

Test(table_read, a_value_is_no_file_of_arguments_however_its_option_is_written)
{
	static const char *const names[] = {"--text", "--a-str", "--tex", "--li"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		cr_assert(reads(names[i], "@not-a-file", NULL, NULL), "%s: %s", names[i], error);
	cr_assert_str_eq(*fields.list.items, "@not-a-file");
	cr_assert(reads("--text", "--a-string", "--text", "@not-a-file"), "%s", error);
	cr_assert_str_eq(fields.string, "@not-a-file");
	cr_assert_not(reads("--text", "--a-string", "@not-a-file", NULL));
	cr_assert_not_null(strstr(error, "@not-a-file: cannot read"), "%s", error);
	cr_assert_not(reads("--large", "@not-a-file", NULL, NULL));
	cr_assert_not_null(strstr(error, "@not-a-file: cannot read"), "%s", error);
}

/* Has a file of these lines read, with another argument behind it. */
static void
read_file(const char *lines)
{
	char at[sizeof path + 1];
	int fd;

	strcpy(path, "/tmp/hubbub-table-XXXXXX");
	fd = mkstemp(path);
	cr_assert_neq(fd, -1);
	cr_assert_eq(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
	close(fd);
	snprintf(at, sizeof at, "@%s", path);
	cr_assert_not(reads(at, "--number=3", NULL, NULL), "%s", lines);
	unlink(path);
}

Test(table_read, what_is_wrong_in_a_file_is_told_with_its_line)
{
	static const char *const cases[][2] = {
		{"--flag\n\n--numbre=1\n", ":3: --numbre: there is no such option; did you mean"},
		{"# x\n--number=0\n", ":2: --number: '0' is not a whole number"},
		{"--number 0", ":1: --number: '0' is not a whole number"},
		{"\n\nstray\n", ":3: 'stray' is too much"},
		{"--flag\n--text ", ":2: --text lacks its value"},
		{"--flag\n  @other\n", ":2: '@other': an @FILE cannot name another"},
	};
	char wanted[128];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		read_file(cases[i][0]);
		snprintf(wanted, sizeof wanted, "%s%s", path, cases[i][1]);
		cr_assert_eq(strncmp(error, wanted, strlen(wanted)), 0, "%s: %s", wanted, error);
	}
}

static unsigned told;

static void
tell(const char *text)
{
	told++;
	cr_assert_str_eq(text, "TEST_NUMBRE in the environment is no option; did you mean "
			       "TEST_NUMBER?");
}

Test(table_read, a_variable_that_is_nearly_an_option_is_told)
{
	struct table table = {.parts = {{rows, &fields}}, .prefix = "TEST_"};

	setenv("TEST_NUMBRE", "8", 1);
	setenv("TEST_NUMBER", "8", 1);
	setenv("TEST_XYZZY", "8", 1);
	setenv("TEST_LISTS", "", 1);
	setenv("TESTNUMBRE", "8", 1);
	table_check_environment(&table, tell);
	cr_assert_eq(told, 1);
}
