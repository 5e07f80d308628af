#include "master/face/offered.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "master/face/admin.h"
#include "master/face/commands.h"

static const char *
run(struct hub_stream *output, char **arguments, void *context)
{
	(void)output, (void)arguments, (void)context;
	return NULL;
}

static const struct hubbub_command sound[] = {
	{.name = "keys", .help = "PREFIX: count them", .run = run, .page = "text/plain"},
	{.name = "a-2_b.json", .help = "", .run = run, .in_each_worker = true}, {0}};
static const struct hubbub_command *const keys = &sound[0], *const json = &sound[1];
static const struct hubbub_service service = {.name = "store", .commands = sound};

Test(offered, a_sound_table_has_no_fault)
{
	cr_assert_null(offered_fault(&service, admin_has_page));
	cr_assert_null(offered_fault(&(struct hubbub_service){.name = "none"}, admin_has_page));
}

/* A row that is sound but for what its name or the following fields say. */
#define ROW(word) .name = (word), .help = "help", .run = run

Test(offered, a_fault_is_told_with_the_name_of_its_row)
{
	static int something;
	static const struct {
		struct hubbub_command row;
		const char *fault;
	} cases[] = {
		{{ROW("status")}, "'status' of the service has the name of a command that "},
		{{ROW("top")}, "'top' of the service has the name of a command that every"},
		{{ROW("help")}, "'help' of the service has the name of a command that ever"},
		{{ROW("metrics")}, "'metrics' of the service has the name of a page that "},
		{{ROW("stats.json")}, "has the name of a page that every server has"},
		{{ROW("drain")}, "has the name of a command that every server has"},
		{{ROW("keys")}, "'keys' of the service is there twice"},
		{{ROW("")}, "needs a name of 1 to 32 lower-case letters"},
		{{ROW("Keys")}, "'Keys' of the service needs a name of 1 to 32"},
		{{ROW("2keys")}, "needs a name"},
		{{ROW("two words")}, "needs a name"},
		{{ROW("a/b")}, "needs a name"},
		{{ROW("a23456789012345678901234567890123")}, "needs a name"},
		{{.name = "a", .run = run}, "'a' of the service has no help of one line"},
		{{.name = "a", .help = "two\nlines", .run = run}, "has no help of one line"},
		{{.name = "a", .help = "help"}, "'a' of the service has no function"},
		{{ROW("a"), .page = "plain"}, "has a page, but no content type of it"},
		{{ROW("a"), .page = "text/plain\r\nX: y"}, "has a page, but no content"},
		{{ROW("a"), .room = {&something}}, "has a room that is not NULL"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct hubbub_command rows[] = {sound[0], cases[i].row, {0}};
		struct hubbub_service faulty = {.name = "store", .commands = rows};
		const char *fault = offered_fault(&faulty, admin_has_page);

		cr_assert_not_null(fault, "%zu", i);
		cr_assert_not_null(strstr(fault, cases[i].fault), "%zu: %s", i, fault);
	}
}

Test(offered, the_longest_name_is_one)
{
	struct hubbub_command rows[] = {{ROW("a2345678901234567890123456789012")}, {0}};

	cr_assert_null(offered_fault(
		&(struct hubbub_service){.name = "store", .commands = rows}, admin_has_page));
}

Test(offered, the_pages_of_every_server_are_known)
{
	static const char *const pages[] = {
		"", "metrics", "livez", "readyz", "stats.json", "drain"};

	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		cr_assert(admin_has_page(pages[i]), "%s", pages[i]);
	cr_assert_not(admin_has_page("keys"));
	cr_assert_not(admin_has_page("metric"));
}

Test(offered, a_command_is_found_by_its_name_alone)
{
	cr_assert_eq(offered_find(&service, "keys"), keys);
	cr_assert_eq(offered_find(&service, "a-2_b.json"), json);
	cr_assert_null(offered_find(&service, "key"));
	cr_assert_null(offered_find(&service, ""));
	cr_assert_null(offered_find(&(struct hubbub_service){.name = "none"}, "keys"));
}

Test(offered, the_list_has_a_line_for_each_command_there_is)
{
	char *list = offered_list(&service);
	size_t lines = 0;

	for (const char *at = list; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	cr_assert_eq(lines, COMMAND_MAX + 2);
	cr_assert_not_null(strstr(list, "  status    print the state"), "%s", list);
	cr_assert_not_null(strstr(list, "\n  keys      PREFIX: count them\n"), "%s", list);
	free(list);
}

Test(offered, who_errs_is_told_the_nearest_or_where_all_are)
{
	static const struct {
		const char *name, *error;
	} cases[] = {
		{"stauts", "there is no command 'stauts'; did you mean status?"},
		{"kesy", "there is no command 'kesy'; did you mean keys?"},
		{"xyzzy", "there is no command 'xyzzy'; see hubbub-ctl help"},
	};
	char error[OFFERED_ERROR_SIZE];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		offered_explain(&service, cases[i].name, error);
		cr_assert_str_eq(error, cases[i].error);
	}
}

Test(offered, words_are_read_as_arguments)
{
	static const struct {
		const char *words, *arguments;
		size_t size, count;
	} cases[] = {
		{"", "\0", 1, 1},
		{"a", "a\0", 2, 1},
		{"a b", "a\0b\0", 4, 2},
		{"a  b ", "a\0\0b\0\0", 6, 4},
		{"a%20b%25%0A%ff%FF", "a b%\n\xff\xff\0", 8, 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct offered_arguments arguments = {0};
		char words[32];

		strcpy(words, cases[i].words);
		cr_assert_null(offered_read(&arguments, words), "%zu", i);
		cr_assert_eq(arguments.count, cases[i].count, "%zu", i);
		cr_assert_eq(arguments.size, cases[i].size, "%zu", i);
		cr_assert_arr_eq(arguments.text, cases[i].arguments, cases[i].size, "%zu", i);
	}
}

Test(offered, without_words_there_are_no_arguments)
{
	struct offered_arguments arguments = {0};

	cr_assert_null(offered_read(&arguments, NULL));
	cr_assert_eq(arguments.size, 0);
}

Test(offered, words_that_are_no_arguments_are_refused)
{
	static const struct {
		const char *words, *why;
	} cases[] = {{"%", "a '%' in an argument needs two hexadecimal digits; itself it is %25"},
		{"a%2", "a '%' in an argument needs two hexadecimal digits; itself it is %25"},
		{"a%2g", "a '%' in an argument needs two hexadecimal digits; itself it is %25"},
		{"a b%00c", "an argument has a NUL in it"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct offered_arguments arguments = {0};
		char words[16];

		strcpy(words, cases[i].words);
		cr_assert_str_eq(offered_read(&arguments, words), cases[i].why);
	}
}

Test(offered, arguments_have_a_limit)
{
	static const char many[] = "there are too many arguments, or they are too long";
	static char bytes[REPLY_ARGUMENTS_SIZE];
	struct offered_arguments arguments = {0};

	memset(bytes, 'x', sizeof bytes);
	cr_assert_str_eq(offered_add(&arguments, bytes, sizeof bytes), many);
	cr_assert_null(offered_add(&arguments, bytes, sizeof bytes - 2));
	cr_assert_null(offered_add(&arguments, "", 0));
	cr_assert_eq(arguments.size, sizeof bytes);
	cr_assert_str_eq(offered_add(&arguments, "", 0), many);
	arguments = (struct offered_arguments){0};
	for (int i = 0; i < REPLY_ARGUMENTS_MAX; i++)
		cr_assert_null(offered_add(&arguments, "y", 1));
	cr_assert_str_eq(offered_add(&arguments, "y", 1), many);
}
