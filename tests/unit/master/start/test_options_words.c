/* The texts of --help name only options that there are. */
#include "master/start/options_words.h"

#include <argp.h>
#include <criterion/criterion.h>
#include <string.h>

#include "master/start/options_rows.h"

static const struct hubbub_service service = {.name = "courier", .version = "3.1"};
static struct table table;

static void
set(void)
{
	static struct hubbub_option rows[OPTIONS_ROWS_MAX];

	table_copy_rows(rows, options_rows);
	table = (struct table){.parts = {{rows, NULL}}};
	options_words_set(&table, &service);
}

TestSuite(options_words, .init = set);

Test(options_words, the_short_help_lists_options_that_there_are)
{
	const char *const *name = table.first;

	cr_assert_not_null(*name);
	for (; *name != NULL; name++)
		cr_assert(table_has_name(&table, *name), "%s", *name);
}

Test(options_words, a_synonym_is_no_option_and_stands_for_one)
{
	for (size_t i = 0; table.synonyms[i][0] != NULL; i++) {
		cr_assert_not(
			table_has_name(&table, table.synonyms[i][0]), "%s", table.synonyms[i][0]);
		cr_assert(table_has_name(&table, table.synonyms[i][1]), "%s", table.synonyms[i][1]);
	}
}

Test(options_words, help_and_version_name_the_service)
{
	char text[256] = "";
	FILE *stream = fmemopen(text, sizeof text, "w");

	cr_assert_not_null(stream);
	argp_program_version_hook(stream, NULL);
	fclose(stream);
	cr_assert_eq(strncmp(text, "courier 3.1\nhubbub ", 19), 0, "%s", text);
	cr_assert_not_null(strstr(table.description, "courier serves"));
	cr_assert_not_null(strstr(table.brief, "  courier -l"));
}
