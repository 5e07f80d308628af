#include "worker/counters.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

Test(counters, children_share_them)
{
	struct counters *counters = counters_new(2, 3);
	pid_t child;

	cr_assert_not_null(counters);
	child = fork();
	if (child == 0) {
		counters_add(&counters_rows(counters, 1)[2].accepted, 5);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	cr_assert_eq(counters_rows(counters, 1)[2].accepted, 5);
	cr_assert_eq(counters_rows(counters, 0)[2].accepted, 0);
	counters_free(&counters);
	cr_assert_null(counters);
	counters_free(&counters);
}

Test(counters, rows_share_no_cache_line)
{
	struct counters *counters = counters_new(1, 2);
	const struct worker_row *rows = counters_rows(counters, 0);

	cr_assert_eq((uintptr_t)&rows[0] % 128, 0);
	cr_assert_eq((uintptr_t)&rows[1] % 128, 0);
	counters_free(&counters);
}

Test(counters, folding_keeps_totals_and_zeroes_gauges)
{
	struct worker_row total = {.accepted = 10, .closed = 10};
	struct worker_row row = {.accepted = 7, .closed = 4, .hub = {1234, 3, 100, 200}};

	row.accept_errors[ACCEPT_ERROR_LIMIT] = 2;
	counters_fold(&total, &row);
	cr_assert_eq(total.accepted, 17);
	cr_assert_eq(total.closed, 17, "what a dead worker had open is closed");
	cr_assert_eq(total.hub.bytes_received, 100);
	cr_assert_eq(total.hub.bytes_sent, 200);
	cr_assert_eq(total.accept_errors[ACCEPT_ERROR_LIMIT], 2);
	cr_assert_eq(row.accepted, 0);
	cr_assert_eq(row.hub.busy_since, 0);
}
