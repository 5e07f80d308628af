/* A worker may have written anything over the number of rows: no row is read that the file does not
 * have, which would be SIGBUS. */
#include "worker/segment.h"

#include <criterion/criterion.h>
#include <string.h>

#include "worker/counters.h"
#include "worker/fold.h"

#include "tests/unit/worker/shared.h"

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

/* ---- rows of counters.h ---- */

Test(segment, rows_that_are_owned_are_nobody_elses_whatever_was_written_over_them)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1);

	row->state = ROW_FREE;
	cr_assert_neq(counters_claim(counters, 1, 1, 1), row);
	row->state = ROW_DEAD;
	counters_fold_orphans(counters);
	cr_assert_eq(row->state, (uint32_t)ROW_DEAD);
	row->state = ROW_LIVE;
	row->master = 7;
	cr_assert(counters_is_own(counters, row));
	counters_fold_orphans(counters);
	cr_assert_eq(row->state, (uint32_t)ROW_LIVE);
}

Test(segment, rows_whose_state_is_none_are_free_and_become_blank)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1), *again;

	counters_fold(counters, row, 1);
	memset(row, 0xff, sizeof *row);
	again = counters_claim(counters, 0, 1, 1);
	cr_assert_eq(again, row);
	cr_assert_eq(row->heartbeat, 0);
	cr_assert_eq(row->accepted, 0);
	cr_assert_eq(row->permits, 0);
	cr_assert_eq(row->state, (uint32_t)ROW_LIVE);
}

Test(segment, rows_that_were_overwritten_are_mended_once)
{
	struct worker_row *rows = counters_claim(counters, 4, 2, 2), sum;

	cr_assert_not(counters_mend(counters, rows, 2));
	memset(counters, 0xff, sizeof *counters - sizeof counters->rows);
	memset(rows, 0xff, 2 * sizeof *rows);
	cr_assert(counters_mend(counters, rows, 2));
	cr_assert_not(counters_mend(counters, rows, 2));
	cr_assert(counters_sum(counters, 4, 1, &sum));
	cr_assert_eq(counters_open(&sum), 0);
	cr_assert_eq(rows->generation, 2);
	counters_fold_orphans(counters);
	cr_assert_eq(rows->state, (uint32_t)ROW_LIVE);
}

Test(segment, rows_have_open_what_a_process_can_have)
{
	struct worker_row row = {.opened = 3, .closed = 5};

	cr_assert_eq(counters_open(&row), 0);
	row.opened = INT64_MAX;
	cr_assert_eq(counters_open(&row), INT32_MAX);
}

/* What a worker has written over the record moves nothing. */
Test(segment, that_says_that_a_fold_is_due_moves_nothing_but_a_fold)
{
	struct worker_row *ledger = counters_claim(counters, 0, 1, 1), *row;
	const uint32_t faulty[][2] = {{UINT32_MAX, 0}, {0, UINT32_MAX}, {0, 0}, {1, 0}};

	ledger->accepted = 7;
	counters_fold(counters, ledger, 1);
	row = counters_claim(counters, 0, 2, 1);
	row->accepted = 5;
	for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
		counters->fold.row = faulty[i][0];
		counters->fold.ledger = faulty[i][1];
		counters->folds |= 1;
		fold_finish(counters);
		cr_assert_eq(counters->folds % 2, 0);
		cr_assert_eq(counters_total(counters).accepted, 12, "%zu", i);
	}
	/* A row whose state is none is folded as any other. */
	counters->fold.row = UINT32_MAX;
	row->state = UINT32_MAX;
	counters->folds = UINT32_MAX;
	counters_fold(counters, row, 1);
	cr_assert_eq(counters_total(counters).accepted, 12);
	cr_assert_eq(row->state, (uint32_t)ROW_FREE);
}
