#include "tests/load/ask/requests.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/folder.h"

static struct requests requests;

static void
begin(void)
{
	template_setup(1);
	requests.seed = 1;
}

static void
end(void)
{
	requests_clear(&requests);
}

TestSuite(requests, .init = begin, .fini = end);

Test(requests, are_drawn_by_their_weights)
{
	static const double shares[] = {6000, 3000, 1000};
	unsigned counts[3] = {0};

	cr_assert_null(requests_add(&requests, "\\{weight:6}a"));
	cr_assert_null(requests_add(&requests, "\\{weight:3}b"));
	cr_assert_null(requests_add(&requests, "c"));
	for (uint64_t i = 0; i < 10000; i++)
		counts[requests_choose(&requests, i) - requests.items]++;
	for (size_t i = 0; i < 3; i++)
		cr_assert_float_eq((double)counts[i], shares[i], 300);
}

Test(requests, an_expectation_belongs_to_the_request_before_it)
{
	const struct template *expected;

	cr_assert_null(requests_expect(&requests, "all"));
	cr_assert_null(requests_add(&requests, "HEAD x"));
	cr_assert_null(requests_add(&requests, "HEADER"));
	cr_assert_null(requests_expect(&requests, "own"));
	for (uint64_t i = 0; i < 20; i++) {
		bool is_first = requests_choose(&requests, i) == requests.items;

		expected = requests_expected(&requests, i);
		cr_assert_not_null(expected);
		cr_assert_eq(strncmp(expected->text, is_first ? "all" : "own", 3), 0);
		cr_assert_eq(requests_is_head(&requests, i), is_first);
	}
	requests_clear(&requests);
	cr_assert_null(requests_expected(&requests, 0));
}

Test(requests, a_file_holds_one)
{
	char folder[FOLDER_SIZE], given[FOLDER_SIZE + 16];
	FILE *file;

	cr_assert(folder_make(folder));
	snprintf(given, sizeof given, "@%s/request", folder);
	file = fopen(given + 1, "w");
	cr_assert_not_null(file);
	for (int i = 0; i < 3000; i++)
		fputs("GET\\n\\\n", file);
	fclose(file);
	cr_assert_null(requests_add(&requests, given));
	cr_assert_eq(template_length(&requests.items->request.template, 0), 12000);
	cr_assert_not_null(strstr(requests_add(&requests, "@/nowhere/at/all"), "No such file"));
	cr_assert_not_null(requests_add(&requests, "@/"));
	folder_remove(folder);
}

Test(requests, what_is_wrong_is_said)
{
	cr_assert_not_null(strstr(requests_add(&requests, ""), "empty"));
	cr_assert_not_null(strstr(requests_add(&requests, "a\\{end}"), "--expect"));
	cr_assert_not_null(strstr(requests_expect(&requests, "\\{weight:2}a"), "--request"));
	cr_assert_not_null(strstr(requests_add(&requests, "\\q"), "there is no"));
	cr_assert_eq(requests.count, 0);
	for (int i = 0; i < REQUESTS_MAX; i++)
		cr_assert_null(requests_add(&requests, "x"));
	cr_assert_not_null(strstr(requests_add(&requests, "x"), "64"));
}
