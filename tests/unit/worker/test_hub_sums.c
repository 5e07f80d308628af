#include "worker/hub_sums.h"

#include <criterion/criterion.h>

#include "tests/unit/worker/shared.h"
#include "worker/catalog.h"
#include "worker/counters.h"

static struct hub_sums sums;

static void
end(void)
{
	hub_sums_fini(&sums);
	shared_end();
}

TestSuite(hub_sums, .init = shared_begin, .fini = end, .timeout = 60);

/* Each hub stands there once, with what a sum of it alone says. */
static void
assert_sums(unsigned count)
{
	struct worker_row sum;

	hub_sums_fini(&sums);
	cr_assert_eq(counters_sum_hubs(counters, &sums), 0);
	cr_assert_eq(sums.count, count);
	for (unsigned i = 0; i < count; i++) {
		const struct worker_row *row = &sums.rows[i];

		cr_assert_eq(hub_sums_find(&sums, row->worker, row->index), row);
		cr_assert(counters_sum(counters, row->worker, row->index, &sum));
		cr_assert_arr_eq(sum.counts, row->counts, catalog_end() * sizeof *sum.counts);
	}
}

Test(hub_sums, are_those_of_living_and_dead_processes_in_the_order_of_the_segment)
{
	struct worker_row *rows;

	assert_sums(0);
	for (unsigned worker = 0; worker < 20; worker++) {
		rows = counters_claim(counters, worker, 1, 3);
		for (unsigned hub = 0; hub < 3; hub++) {
			rows[hub].accepted = 100 * worker + hub;
			buckets_record(&rows[hub].requests, 1000 * hub);
		}
		if (worker % 2 == 0)
			counters_fold(counters, rows, 3);
		if (worker % 4 == 0)
			counters_claim(counters, worker, 2, 3)[1].accepted = 7;
	}
	assert_sums(60);
	for (unsigned i = 1; i < 60; i++)
		cr_assert_gt(sums.rows[i].worker * 3 + sums.rows[i].index,
			sums.rows[i - 1].worker * 3 + sums.rows[i - 1].index);
	cr_assert_eq(hub_sums_find(&sums, 4, 1)->accepted, 408);
	cr_assert_null(hub_sums_find(&sums, 20, 0));
	cr_assert_null(hub_sums_find(&sums, 0, 3));
}

Test(hub_sums, are_found_whatever_was_written_over_the_numbers_of_a_row)
{
	struct worker_row *rows = counters_claim(counters, 0, 1, 2);

	rows[0].worker = rows[0].index = UINT32_MAX;
	rows[0].accepted = 3;
	assert_sums(2);
	cr_assert_eq(hub_sums_find(&sums, UINT32_MAX, UINT32_MAX)->accepted, 3);
}

/* Another master may claim rows between the count and the reading. */
Test(hub_sums, without_room_are_left_out)
{
	counters_claim(counters, 0, 1, 3);
	cr_assert_eq(hub_sums_init(&sums, 2), 0);
	hub_sums_read(&sums, counters, counters->folds);
	cr_assert_eq(sums.count, 2);
	cr_assert_null(hub_sums_find(&sums, 0, 2));
	hub_sums_read(&sums, counters, counters->folds);
	cr_assert_eq(sums.count, 2, "read anew, and not on top");
}

Test(hub_sums, are_of_a_ledger_and_of_what_is_to_be_folded)
{
	struct worker_row *first = counters_claim(counters, 0, 1, 1), *second;

	first->accepted = 5;
	counters_fold(counters, first, 1);
	second = counters_claim(counters, 0, 2, 1);
	second->accepted = 7;
	counters_bury(counters, second, 1);
	assert_sums(1);
	cr_assert_eq(hub_sums_find(&sums, 0, 0)->accepted, 12);
}
