#include "master/start/table.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/start/row.h"

struct fields {
	bool flag;
	unsigned number;
	uint64_t large;
	size_t size;
	int64_t duration;
	unsigned word;
	const char *string;
	struct hubbub_list list;
	bool acts;
};

#define FIELD(member) HUBBUB_FIELD(struct fields, member)

static const char *const words[] = {"red", "green", "blue"};

static const struct hubbub_option rows[] = {
	{.name = "flag", .letter = 'f', .help = "A flag", .kind = HUBBUB_FLAG, FIELD(flag)},
	{.name = "number",
		.letter = 'n',
		.values = "N",
		.help = "A number",
		.kind = HUBBUB_NUMBER,
		FIELD(number),
		.least = 1,
		.most = 1000000,
		.standard = "5",
		.change = HUBBUB_UPGRADABLE},
	{.name = "large",
		.values = "N",
		.help = "A large one",
		.kind = HUBBUB_NUMBER,
		FIELD(large),
		.standard = "1",
		.implied = "2"},
	{.name = "size",
		.values = "SIZE",
		.help = "A size",
		.kind = HUBBUB_SIZE,
		FIELD(size),
		.standard = "4K"},
	{.name = "duration",
		.values = "S",
		.help = "A time",
		.kind = HUBBUB_DURATION,
		FIELD(duration),
		.standard = "0"},
	{.name = "word",
		.values = "red|green|blue",
		.help = "A word",
		.kind = HUBBUB_CHOICE,
		FIELD(word),
		HUBBUB_WORDS(words),
		.standard = "red"},
	{.name = "a-string",
		.letter = 's',
		.values = "TEXT",
		.help = "A text",
		.kind = HUBBUB_STRING,
		FIELD(string),
		.change = HUBBUB_FIXED,
		.also = "text"},
	{.name = "list",
		.values = "ITEM",
		.help = "Items",
		.kind = HUBBUB_LIST,
		FIELD(list),
		.standard = "first"},
	{.name = "act",
		.help = "No setting",
		.kind = HUBBUB_FLAG,
		FIELD(acts),
		.change = HUBBUB_ACTION},
	{0},
};

static struct fields fields;
static struct arguments arguments;
static struct table_givens givens;
static char error[512], path[] = "/tmp/hubbub-table-XXXXXX";

static error_t
take(struct table *table, int key, char *value, struct argp_state *state)
{
	(void)state;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	table_complain(table, "'%s' is too much for %u", value, fields.number);
	return EINVAL;
}

static struct table
table_of(struct fields *object)
{
	static const char *const rivals[][2] = {{"number", "large"}, {NULL, NULL}};

	return (struct table){.parts = {{rows, object}},
		.prefix = "TEST_",
		.rivals = rivals,
		.take = take,
		.flags = ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP,
		.arguments = &arguments,
		.givens = &givens,
		.error = error,
		.error_size = sizeof error};
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
	struct table table = table_of(&fields);
	int count = 1;

	for (int i = 0; i < 4 && given[i] != NULL; i++)
		argv[count++] = (char *)(uintptr_t)given[i];
	forget();
	fields = (struct fields){0};
	return table_read(&table, count, argv) == 0;
}

static void
write_file(const char *text)
{
	int fd = mkstemp(path);

	cr_assert_neq(fd, -1);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

TestSuite(table, .fini = forget);

Test(table, what_is_not_given_has_its_default)
{
	cr_assert(reads(NULL, NULL, NULL, NULL), "%s", error);
	cr_assert_eq(fields.number, 5);
	cr_assert_eq(fields.size, 4096);
	cr_assert_eq(fields.list.count, 1);
	cr_assert_str_eq(*fields.list.items, "first");
	cr_assert_null(fields.string);
}

Test(table, letters_other_names_and_values_that_are_left_out)
{
	cr_assert(reads("-n7", "--text=x", "--large", "--fl"), "%s", error);
	cr_assert_eq(fields.number, 7);
	cr_assert_str_eq(fields.string, "x");
	cr_assert_eq(fields.large, 2);
	cr_assert(fields.flag, "an abbreviation");
	cr_assert(reads("-s", "@not-a-file", "--a-string", "@nor-this"), "%s", error);
	cr_assert_str_eq(fields.string, "@nor-this", "a value is no file of arguments");
	cr_assert(reads("-fs", "@not-a-file", NULL, NULL), "%s", error);
	cr_assert_str_eq(fields.string, "@not-a-file");
	cr_assert_not(reads("-n1s", "@not-a-file", NULL, NULL));
	cr_assert_not_null(strstr(error, "@not-a-file: cannot read"), "%s", error);
}

Test(table, the_command_line_wins_over_the_environment_and_that_over_the_default)
{
	const char *last;

	setenv("TEST_NUMBER", "8", 1);
	setenv("TEST_A_STRING", "from there", 1);
	setenv("TEST_LIST", "  one two\tthree ", 1);
	setenv("TEST_FLAG", "on", 1);
	setenv("TEST_WORD", "", 1);
	setenv("TEST_ACT", "on", 1);
	cr_assert(reads("-n", "9", NULL, NULL), "%s", error);
	cr_assert_eq(fields.number, 9);
	cr_assert_str_eq(fields.string, "from there");
	cr_assert_eq(fields.list.count, 3, "the default is none of them");
	last = fields.list.items[2];
	cr_assert_str_eq(last, "three");
	cr_assert(fields.flag);
	cr_assert_eq(fields.word, 0, "an empty one says nothing");
	cr_assert_not(fields.acts, "an action is asked for where it is seen");
	cr_assert(reads("--list=four", NULL, NULL, NULL), "%s", error);
	cr_assert_eq(fields.number, 8);
	cr_assert_eq(fields.list.count, 1);
	setenv("TEST_FLAG", "off", 1);
	cr_assert(reads(NULL, NULL, NULL, NULL), "%s", error);
	cr_assert_not(fields.flag);
	cr_assert_str_eq(fields.string, "from there");
}

Test(table, what_sets_the_same_thing_wins_over_the_environment_too)
{
	setenv("TEST_NUMBER", "8", 1);
	setenv("TEST_LARGE", "9", 1);
	cr_assert(reads("--large=3", NULL, NULL, NULL), "%s", error);
	cr_assert_eq(fields.number, 5, "--large was given, so the default");
	cr_assert(reads("--number=3", NULL, NULL, NULL), "%s", error);
	cr_assert_eq(fields.large, 1);
	cr_assert(reads("--size=1K", NULL, NULL, NULL), "%s", error);
	cr_assert_eq(fields.number, 8);
	cr_assert_eq(fields.large, 9);
}

Test(table, what_is_wrong_in_the_environment_is_told_with_its_variable)
{
	setenv("TEST_SIZE", "big", 1);
	cr_assert_not(reads(NULL, NULL, NULL, NULL));
	cr_assert_eq(strncmp(error, "TEST_SIZE: 'big' is not a size", 30), 0, "%s", error);
	cr_assert(reads("--size=1K", NULL, NULL, NULL), "nobody looks at it");
}

static int switched;

static const char *
take_switch(const char *value, void *context)
{
	(void)context;
	switched++;
	return value == NULL ? NULL : "without a value";
}

Test(table, the_environment_gives_an_option_without_a_value_or_does_not)
{
	static const struct hubbub_option own[] = {
		{.name = "switch", .help = "x", .set = take_switch}, {0}};
	static const struct {
		const char *text;
		int times;
		bool is_right;
	} cases[] = {{"on", 1, true}, {"1", 1, true}, {"off", 0, true}, {"0", 0, true},
		{"yes", 0, false}};
	char *argv[] = {"test", NULL};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct table table = table_of(&fields);

		table.parts[1].rows = own;
		switched = 0;
		forget();
		setenv("TEST_SWITCH", cases[i].text, 1);
		cr_assert_eq(table_read(&table, 1, argv) == 0, cases[i].is_right, "%s: %s",
			cases[i].text, error);
		cr_assert_eq(switched, cases[i].times, "%s", cases[i].text);
	}
	cr_assert_str_eq(error, "TEST_SWITCH: 'yes' is not 'on' or 'off'");
}

Test(table, the_first_thing_that_is_wrong_is_told)
{
	cr_assert_not(reads("--number=0", "--word=x", NULL, NULL));
	cr_assert_not_null(strstr(error, "--number: '0'"), "%s", error);
	cr_assert_not(reads("extra", NULL, NULL, NULL));
	cr_assert_not_null(strstr(error, "too much"), "%s", error);
	cr_assert_not(reads("--numbre=1", NULL, NULL, NULL));
	cr_assert_not_null(strstr(error, "did you mean --number"), "%s", error);
	cr_assert_not(reads("--number", NULL, NULL, NULL));
	cr_assert_not_null(strstr(error, "lacks its value"), "%s", error);
}

Test(table, an_argument_that_is_no_option_comes_after_all_options)
{
	cr_assert_not(reads("extra", "other", "-n7", NULL));
	cr_assert_str_eq(error, "'extra' is too much for 7");
	cr_assert_not(reads("extra", "-n7", "--", "-n8"));
	cr_assert_str_eq(error, "'extra' is too much for 7");
}

/* What table_print writes for the fields as they are. The caller frees it. */
static char *
printed(void)
{
	struct table table = table_of(&fields);
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	table_print(&table, &givens, stream);
	fclose(stream);
	return text;
}

Test(table, what_is_printed_says_where_each_value_is_from)
{
	static const char *const lines[] = {"# --flag: from TEST_FLAG in the environment\n--flag\n",
		"# --number: from the command line\n--number=3\n", "# --size=4K (default)\n",
		"# --a-string (default: not given)\n", "# --list=first (default)\n"};
	char at[64], line[160], *text;

	write_file("--duration=1.5\n");
	snprintf(at, sizeof at, "@%s", path);
	setenv("TEST_FLAG", "1", 1);
	cr_assert(reads("-n3", at, "--act", NULL), "%s", error);
	unlink(path);
	text = printed();
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		cr_assert_not_null(strstr(text, lines[i]), "no '%s' in\n%s", lines[i], text);
	snprintf(line, sizeof line, "# --duration: from %s\n--duration=1500ms\n", path);
	cr_assert_not_null(strstr(text, line), "%s", text);
	cr_assert_null(strstr(text, "act"), "an action is no setting");
	free(text);
}

/* Into static buffers, which the fields borrow. */
static void
choose_values(const char *given[4])
{
	static char texts[4][64];
	static const char letters[] = "abc =#'\"@\\$x-";
	char word[12];

	for (size_t i = 0; i < sizeof word - 1; i++)
		word[i] = letters[(size_t)random() % (sizeof letters - 1)];
	word[sizeof word - 1] = '\0';
	word[sizeof word - 2] = 'e'; /* no blank */
	for (int i = 0; i < 4; i++) {
		char *text = texts[i];

		switch (random() % 7) {
		case 0:
			snprintf(text, 64, "--number=%ld", 1 + random() % 1000000);
			break;
		case 1:
			snprintf(text, 64, "--large=%ld", random());
			break;
		case 2:
			snprintf(text, 64, "--size=%ld", random());
			break;
		case 3:
			snprintf(text, 64, "--duration=%ldns", random() * (1 + random() % 1000000));
			break;
		case 4:
			snprintf(text, 64, "--word=%s", words[random() % 3]);
			break;
		case 5:
			snprintf(text, 64, "--a-string=%s", word);
			break;
		case 6:
			snprintf(text, 64, "--list=%s", word);
			break;
		}
		given[i] = text;
	}
}

Test(table, what_is_printed_gives_the_same_again)
{
	srandom(7);
	for (int round = 0; round < 500; round++) {
		struct fields before;
		const char *given[4];
		char at[64], *text;
		bool are_read;

		choose_values(given);
		are_read = reads(given[0], given[1], given[2], given[3]);
		cr_assert(are_read, "%s", error);
		before = fields;
		text = printed();
		strcpy(path, "/tmp/hubbub-table-XXXXXX");
		write_file(text);
		snprintf(at, sizeof at, "@%s", path);
		/* Kept until all is compared, for the fields borrow from it. */
		struct arguments kept = arguments;

		arguments = (struct arguments){0};
		cr_assert(reads(at, NULL, NULL, NULL), "%s\n%s", error, text);
		unlink(path);
		for (const struct hubbub_option *row = rows; row->name != NULL; row++)
			cr_assert(
				row_is_same(row, &before, &fields), "--%s of\n%s", row->name, text);
		arguments_free(&kept);
		free(text);
	}
}

Test(table, a_value_that_no_line_can_hold_is_said_to_be_one)
{
	char *text;

	cr_assert(reads("--a-string=two\nlines", NULL, NULL, NULL), "%s", error);
	text = printed();
	cr_assert_not_null(strstr(text, "# --a-string: no line of a file can hold"), "%s", text);
	cr_assert_null(strstr(text, "\nlines"), "%s", text);
	free(text);
}

Test(table, a_long_string_is_printed_whole)
{
	static char argument[3 * 4096] = "--a-string=";
	char *text;

	memset(argument + strlen(argument), 'x', sizeof argument - strlen(argument) - 1);
	cr_assert(reads(argument, NULL, NULL, NULL), "%s", error);
	text = printed();
	cr_assert_not_null(strstr(text, argument), "%s", text);
	free(text);
}

Test(table, a_name_a_letter_or_a_variable_is_of_one_option)
{
	static const struct {
		const char *name, *also;
		int letter;
		const char *says;
	} cases[] = {
		{"number", NULL, 0, "--number is an option of every server; choose another name"},
		{"text", NULL, 0, "--text is an option of every server; choose another name"},
		{"mine", "text", 0, "--text is an option of every server; choose another name"},
		{"help", NULL, 0, "--help is an option of every program; choose another name"},
		{"mine", NULL, 'n',
			"--mine: its letter -n is that of --number; choose another one"},
		{"mine", NULL, 'V',
			"--mine: its letter -V is that of --version; choose another one"},
		{"a_string", NULL, 0,
			"--a_string: its variable TEST_A_STRING is that of --a-string; choose "
			"another name"},
	};
	struct table table = table_of(&fields);

	cr_assert(table_is_sound(&table, error, sizeof error), "%s", error);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct hubbub_option own[] = {{.name = cases[i].name,
						      .also = cases[i].also,
						      .letter = cases[i].letter,
						      .values = "N",
						      .help = "x",
						      .kind = HUBBUB_STRING,
						      FIELD(string)},
			{0}};

		table.parts[1] = (struct table_part){own, &fields};
		cr_assert_not(table_is_sound(&table, error, sizeof error), "%s", cases[i].name);
		cr_assert_str_eq(error, cases[i].says);
	}
}
