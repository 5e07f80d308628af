#include "master/base/numerals.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>

#include "master/base/values.h"
#include "master/server.h"
#include "tests/support/comma.h"

static bool has_comma;

static void
begin(void)
{
	has_comma = comma_begin();
}

TestSuite(numerals, .init = begin, .fini = comma_end, .timeout = 60);

Test(numerals, numbers_have_a_point_whatever_the_locale)
{
	char before[16], during[16], after[16];
	int64_t time = 0;

	if (!has_comma)
		cr_skip_test("needs localedef and what it makes locales of");
	snprintf(before, sizeof before, "%.1f", 1.5);
	cr_assert_str_eq(before, "1,5");
	numerals_begin();
	snprintf(during, sizeof during, "%.1f", 1.5);
	cr_assert_str_eq(during, "1.5");
	cr_assert(values_read_time("1.5ms", &time));
	cr_assert_eq(time, 1500000);
	numerals_end();
	snprintf(after, sizeof after, "%.1f", 1.5);
	cr_assert_str_eq(after, "1,5");
	numerals_end();
}

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

Test(numerals, a_servers_options_are_read_in_any_locale)
{
	static const struct hubbub_service service = {
		.name = "numerals", .version = "1", .listen = "127.0.0.1:0", .serve = serve};
	char *argv[] = {"numerals", "--check", "--idle-timeout=1.5", NULL};

	if (!has_comma)
		cr_skip_test("needs localedef and what it makes locales of");
	/* Wrong usage would end the process. */
	cr_assert_eq(hubbub_main(3, argv, &service), 0);
	cr_assert_eq(uselocale((locale_t)0), LC_GLOBAL_LOCALE);
}
