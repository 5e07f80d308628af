#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/load/ask/random.h"
#include "tests/load/ask/sizes.h"

static double
mean_of(const struct sizes *sizes, int count)
{
	uint64_t random = random_seed(1, 2);
	double sum = 0;

	for (int i = 0; i < count; i++) {
		uint32_t size = sizes_draw(sizes, &random);

		cr_assert_geq(size, sizes_least(sizes));
		cr_assert_leq(size, sizes_most(sizes));
		sum += size;
	}
	return sum / count;
}

Test(sizes, each_kind_has_the_mean_that_it_says)
{
	static const struct {
		const char *text;
		double mean;
	} cases[] = {{"64", 64}, {"16-4096", 2056}, {"exp:512", 512}, {"64:90,1024:10", 160},
		{"64,128", 96}, {"1Ki", 1024}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sizes sizes;
		const char *why = sizes_read(cases[i].text, &sizes);

		cr_assert_null(why, "%s: %s", cases[i].text, why);
		cr_assert_float_eq(sizes_mean(&sizes), cases[i].mean, 1e-6, "%s", cases[i].text);
		cr_assert_float_eq(mean_of(&sizes, 200000), cases[i].mean, cases[i].mean * 0.02,
			"%s", cases[i].text);
	}
}

Test(sizes, a_file_is_a_mix_with_weights)
{
	char path[] = "/tmp/sizes-XXXXXX", text[64];
	struct sizes sizes;
	FILE *file = fdopen(mkstemp(path), "w");

	fputs("# measured\n64 3\n\n1024 1\n", file);
	fclose(file);
	snprintf(text, sizeof text, "@%s", path);
	cr_assert_null(sizes_read(text, &sizes));
	cr_assert_float_eq(sizes_mean(&sizes), 304, 1e-6);
	unlink(path);
	cr_assert_not_null(sizes_read(text, &sizes));
}

Test(sizes, what_is_no_size_is_refused_with_a_reason)
{
	static const char *const cases[] = {"", "0", "-1", "x", "17Mi", "10-5", "5-",
		"exp:", "exp:0", "64:x", "64:0", "0:1", "64:-1", "1.5"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sizes sizes;

		cr_assert_not_null(sizes_read(cases[i], &sizes), "'%s'", cases[i]);
	}
}
