/* What is read of rows at one point; that a reader reads again when a fold has moved is of
 * test_counters.c and test_fold.c. */
#include "worker/sums.h"

#include <criterion/criterion.h>

#include "tests/unit/worker/shared.h"
#include "worker/catalog.h"
#include "worker/counters.h"

TestSuite(sums, .init = shared_begin, .fini = shared_end, .timeout = 60);

static struct worker_row
read_rows(struct sums_selection selection)
{
	struct worker_row sum;

	cr_assert(sums_read(counters, counters->folds, &selection, &sum));
	return sum;
}

Test(sums, are_of_one_hub_or_of_all)
{
	struct worker_row *rows = counters_claim(counters, 3, 1, 2), sum;

	rows[0].accepted = 5;
	rows[1].accepted = 7;
	counters_note(&counters_server(counters)->reloads, 2);
	sum = read_rows((struct sums_selection){.worker = 3, .hub = 1, .end = catalog_size});
	cr_assert_eq(sum.accepted, 7);
	cr_assert_eq(sum.reloads, 0);
	cr_assert_eq(sum.worker, 3);
	cr_assert_eq(sum.index, 1);
	sum = read_rows((struct sums_selection){.is_total = true, .end = catalog_size});
	cr_assert_eq(sum.accepted, 12);
	cr_assert_eq(sum.reloads, 2);
}

Test(sums, are_of_the_metrics_below_an_end)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1), sum;

	row->write_closed = 4;
	buckets_record(&row->requests, 100);
	sum = read_rows((struct sums_selection){.is_total = true, .end = COUNTED_requests});
	cr_assert_eq(sum.write_closed, 4);
	cr_assert_eq(buckets_total(&sum.requests), 0);
	sum = read_rows((struct sums_selection){.is_total = true, .end = COUNTED_requests + 1});
	cr_assert_eq(buckets_total(&sum.requests), 1);
	cr_assert_eq(sum.requests.sum, 100);
}

Test(sums, are_of_the_metrics_from_a_first)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1), sum;

	row->accepted = row->opened = row->closed = 3;
	sum = read_rows((struct sums_selection){
		.is_total = true, .first = COUNTED_opened, .end = COUNTED_opened + 1});
	cr_assert_eq(sum.accepted, 0);
	cr_assert_eq(sum.opened, 3);
	cr_assert_eq(sum.closed, 0);
}

Test(sums, of_nothing_are_told_from_sums_of_0)
{
	struct sums_selection selection = {.worker = 1, .end = catalog_size};
	struct worker_row sum;

	cr_assert_not(sums_read(counters, counters->folds, &selection, &sum));
	counters_claim(counters, 1, 1, 1);
	cr_assert(sums_read(counters, counters->folds, &selection, &sum));
}

/* A row is memory of a worker, which may have overwritten it. */
Test(sums, leave_out_rows_of_no_layout)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1), sum = {0};

	row->accepted = 5;
	row->layout = LAYOUTS_MAX;
	sums_add(counters, &sum, row, row->counts, true, 0, catalog_size);
	cr_assert_eq(sum.accepted, 0);
}

/* What of a listener is open ends with its process, whatever the row of a dead one says. */
Test(sums, of_a_listener_have_what_living_processes_have_open)
{
	struct worker_row sum = {0}, *row;
	struct listened *admin;

	catalog_add_listener(LISTENED_UNNAMED);
	catalog_add_listener("admin");
	counters_free(&counters);
	counters = counters_map(shared_file);
	cr_assert_not_null(counters);
	row = counters_claim(counters, 0, 1, 1);
	admin = (void *)&row->counts[catalog_find_listener("admin")];
	*admin = (struct listened){.accepted = 7, .open = 2, .refused = 1, .datagrams = 4};
	for (int is_living = 0; is_living < 2; is_living++)
		sums_add(counters, &sum, row, row->counts, is_living, 0, catalog_size);
	admin = (void *)&sum.counts[catalog_find_listener("admin")];
	cr_assert_eq(admin->accepted, 14);
	cr_assert_eq(admin->open, 2);
	cr_assert_eq(admin->refused, 2);
	cr_assert_eq(admin->datagrams, 8);
	admin = (void *)&sum.counts[catalog_find_listener(LISTENED_UNNAMED)];
	cr_assert_eq(admin->accepted, 0);
	catalog_add_service(NULL);
}
