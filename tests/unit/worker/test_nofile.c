#include "worker/nofile.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/support/most_files.h"

static char text[NOFILE_ADVICE_SIZE];

Test(nofile, below_the_most_it_is_the_limit_that_is_raised)
{
	cr_assert_gt(nofile_most(), 0);
	cr_assert_str_eq(nofile_advice(text, nofile_most()), "ulimit -n, LimitNOFILE=");
	cr_assert_str_eq(nofile_advice_of(text, EMFILE), "ulimit -n, LimitNOFILE=");
	cr_assert_not_null(strstr(nofile_advice_of(text, ENFILE), "fs.file-max"));
}

Test(nofile, above_the_most_it_is_named_with_its_value)
{
	if (!most_files_set(5000))
		cr_skip("needs root, and mounts of its own");
	cr_assert_eq(nofile_most(), 5000);
	cr_assert_str_eq(nofile_advice(text, 5000), "ulimit -n, LimitNOFILE=");
	cr_assert_str_eq(nofile_advice(text, 5001),
		"fs.nr_open, which is 5000 (sysctl -w fs.nr_open=8192), and then ulimit -n, "
		"LimitNOFILE=");
	/* One more than there may be. */
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 5000}), 0);
	cr_assert_str_eq(nofile_advice_here(),
		"fs.nr_open, which is 5000 (sysctl -w fs.nr_open=8192), and then ulimit -n, "
		"LimitNOFILE=");
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 4999}), 0);
	cr_assert_str_eq(nofile_advice_here(), "ulimit -n, LimitNOFILE=");
}

/* When files have run out it cannot be read. */
Test(nofile, it_is_remembered)
{
	uint64_t most = nofile_most();
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 0;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(nofile_most(), most);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* As in a unit with ProcSubset=pid. */
Test(nofile, one_that_cannot_be_read_is_taken_for_the_kernels_default)
{
	if (!most_files_set(0))
		cr_skip("needs root, and mounts of its own");
	cr_assert_eq(nofile_most(), 0);
	cr_assert_str_eq(nofile_advice(text, 1048576), "ulimit -n, LimitNOFILE=");
	cr_assert_str_eq(nofile_advice(text, 1048577),
		"fs.nr_open, if it is still 1048576, and then ulimit -n, LimitNOFILE=");
}
