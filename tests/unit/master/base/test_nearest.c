#include "master/base/nearest.h"

#include <criterion/criterion.h>
#include <string.h>

Test(nearest, is_what_takes_the_fewest_edits)
{
	static const char *const names[] = {"listen", "processes", "threads", "pin", NULL};

	cr_assert_str_eq(nearest_name("procesess", names), "processes");
	cr_assert_str_eq(nearest_name("lsiten", names), "listen");
	cr_assert_null(nearest_name("xyzzy", names));
}

Test(nearest, is_one_that_begins_with_the_word_if_two_are_as_near)
{
	static const char *const names[] = {"stop", "store", "stow", NULL};

	cr_assert_str_eq(nearest_name("stor", names), "store");
	cr_assert_str_eq(nearest_name("stod", names), "stop");
}

Test(nearest, is_none_if_more_than_half_of_a_short_word_differs)
{
	static const char *const names[] = {"top", "pin", NULL};

	cr_assert_null(nearest_name("foo", names));
	cr_assert_null(nearest_name("x", names));
	cr_assert_str_eq(nearest_name("tip", names), "top");
}

Test(nearest, is_the_only_name_of_which_the_word_begins_a_part)
{
	static const char *const names[] = {
		"proxy-protocol", "idle-timeout", "drain-timeout", "log-level", NULL};

	cr_assert_str_eq(nearest_name("prot", names), "proxy-protocol");
	cr_assert_str_eq(nearest_name("level", names), "log-level");
	cr_assert_null(nearest_name("timeout", names), "of two");
	cr_assert_null(nearest_name("evel", names), "in the middle of a part");
	cr_assert_null(nearest_name("le", names), "too short");
}

Test(nearest, an_unknown_option_is_refused_with_what_may_be_meant)
{
	static const char *const names[] = {"listen", "log-level", NULL};
	static nearest_synonym synonyms[] = {{"port", "listen"}, {NULL, NULL}};
	static const struct {
		const char *item, *error;
	} cases[] = {
		{"--port=1", "--port: there is no such option; did you mean --listen?"},
		{"--lisen", "--lisen: there is no such option; did you mean --listen?"},
		{"--level=x", "--level: there is no such option; did you mean --log-level?"},
		{"--frobnicate", "--frobnicate: there is no such option; see --help"},
	};
	static const char *const right[] = {"--listen", "--li=x", "-x", "port", "--"};
	char error[256];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_assert_not(nearest_check(cases[i].item, names, synonyms, error, sizeof error));
		cr_assert_str_eq(error, cases[i].error);
	}
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		cr_assert(nearest_check(right[i], names, synonyms, error, sizeof error), "%s",
			right[i]);
	cr_assert_not(nearest_check("--port", names, NULL, error, sizeof error));
	cr_assert_not_null(strstr(error, "see --help"), "%s", error);
}
