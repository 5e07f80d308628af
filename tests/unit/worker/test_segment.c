/* A worker may have written anything over the number of rows: no row is read that the file does not
 * have, which would be SIGBUS. */
#include "worker/segment.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "tests/unit/worker/shared.h"
#include "worker/counters.h"

TestSuite(segment, .init = shared_begin, .fini = shared_end, .timeout = 60);

Test(segment, has_the_rows_that_were_claimed)
{
	cr_assert_eq(segment_used(counters), 0);
	counters_claim(counters, 0, 1, 3);
	cr_assert_eq(segment_used(counters), 3);
	cr_assert_eq(segment_file(), shared_file);
}

Test(segment, has_no_rows_beyond_its_file_whatever_it_says)
{
	struct worker_row *rows = counters_claim(counters, 0, 1, 3), *more;

	rows[2].accepted = 5;
	counters->used = UINT32_MAX;
	cr_assert_eq(segment_bytes(segment_used(counters)), segment_bytes(1));
	cr_assert_eq(counters_total(counters).accepted, 5);
	counters_fold_orphans(counters);
	more = counters_claim(counters, 1, 1, 200);
	cr_assert_not_null(more);
	more[199].accepted = 2;
	cr_assert_eq(counters_total(counters).accepted, 7);
	counters_fold(counters, more, 200);
	cr_assert_eq(counters_total(counters).accepted, 7);
}

Test(segment, does_not_lose_rows_by_what_it_says)
{
	struct worker_row *rows = counters_claim(counters, 0, 1, 3), *more;

	rows[2].accepted = 5;
	cr_assert_eq(segment_used(counters), 3);
	counters->used = 0;
	cr_assert_eq(counters_total(counters).accepted, 5);
	more = counters_claim(counters, 1, 1, 1);
	cr_assert_eq(more, rows + 3);
	cr_assert_eq(segment_used(counters), 4);
}
