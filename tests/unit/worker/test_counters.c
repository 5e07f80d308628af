#include "worker/counters.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct counters *counters;
static int file;

static void
begin(void)
{
	counters = counters_new(&file);
	cr_assert_not_null(counters);
}

static void
end(void)
{
	counters_free(&counters);
	close(file);
}

TestSuite(counters, .init = begin, .fini = end, .timeout = 60);

Test(counters, children_share_them_and_other_masters_map_them)
{
	struct worker_row *rows = counters_claim(counters, 1, 1, 3), sum;
	struct counters *again;
	pid_t child = fork();

	if (child == 0) {
		counters_add(&rows[2].accepted, 5);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	again = counters_map(file);
	cr_assert_not_null(again);
	cr_assert(counters_sum(again, 1, 2, &sum));
	cr_assert_eq(sum.accepted, 5);
	cr_assert(counters_sum(again, 1, 0, &sum));
	cr_assert_eq(sum.accepted, 0);
	cr_assert_not(counters_sum(again, 0, 0, &sum), "there is no such worker");
	counters_free(&again);
	cr_assert_null(again);
	counters_free(&again);
}

Test(counters, a_segment_of_another_version_is_refused)
{
	counters->version++;
	cr_assert_null(counters_map(file));
	cr_assert_eq(errno, EPROTO);
	counters->version--;
}

Test(counters, rows_share_no_cache_line)
{
	cr_assert_eq((uintptr_t)&counters->rows[0] % 128, 0);
	cr_assert_eq(sizeof(struct worker_row) % 128, 0);
}

Test(counters, what_a_dead_process_counted_stays_and_its_gauges_go)
{
	struct worker_row *rows = counters_claim(counters, 0, 1, 2), sum;

	rows[1].accepted = rows[1].opened = 7;
	rows[1].closed = 4;
	rows[1].lag = 1000;
	rows[1].hub.bytes_received = 100;
	rows[1].accept_errors[ACCEPT_ERROR_LIMIT] = 2;
	rows[1].permits = 12;
	counters_fold(counters, rows, 2);
	cr_assert(counters_sum(counters, 0, 1, &sum));
	cr_assert_eq(sum.accepted, 7);
	cr_assert_eq(counters_open(&sum), 0, "what it had open is closed");
	cr_assert_eq(sum.hub.bytes_received, 100);
	cr_assert_eq(sum.accept_errors[ACCEPT_ERROR_LIMIT], 2);
	cr_assert_eq(sum.lag, 0);
	/* The next process of that worker goes on from there, in a clean row. */
	rows = counters_claim(counters, 0, 2, 2);
	cr_assert_eq(rows[1].permits, 0);
	rows[1].accepted = 3;
	cr_assert(counters_sum(counters, 0, 1, &sum));
	cr_assert_eq(sum.accepted, 10);
	cr_assert_eq(counters_total(counters).accepted, 10);
}

Test(counters, two_generations_of_a_worker_are_added_up)
{
	struct worker_row *former = counters_claim(counters, 0, 1, 1), sum;
	struct worker_row *present = counters_claim(counters, 0, 2, 1);

	former->opened = 5;
	former->closed = 3;
	present->opened = 4;
	cr_assert(counters_sum(counters, 0, 0, &sum));
	cr_assert_eq(sum.opened, 9);
	cr_assert_eq(counters_open(&sum), 6);
}

Test(counters, rows_of_a_master_that_is_gone_are_folded)
{
	struct worker_row *rows = counters_claim(counters, 3, 1, 2), sum;

	rows[0].accepted = 8;
	counters_fold_orphans(counters);
	cr_assert_eq(rows[0].state, (uint32_t)ROW_LIVE, "this master lives");
	/* More than there are processes. */
	rows[0].master = rows[1].master = 1 << 30;
	counters_fold_orphans(counters);
	cr_assert_neq(rows[0].state, (uint32_t)ROW_LIVE);
	cr_assert_neq(rows[1].state, (uint32_t)ROW_LIVE);
	cr_assert(counters_sum(counters, 3, 0, &sum));
	cr_assert_eq(sum.accepted, 8);
}

Test(counters, there_is_an_end_to_rows)
{
	cr_assert_not_null(counters_claim(counters, 0, 1, COUNTERS_ROWS - 1));
	cr_assert_null(counters_claim(counters, 1, 1, 2));
	cr_assert_not_null(counters_claim(counters, 1, 1, 1));
	cr_assert_null(counters_claim(counters, 2, 1, 1));
}

static void *
fold_for_ever(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
		struct worker_row *rows = counters_claim(counters, 0, 1, 1);

		__atomic_store_n(&rows->accepted, 1, __ATOMIC_RELAXED);
		counters_fold(counters, rows, 1);
	}
	return NULL;
}

Test(counters, nothing_goes_back_while_another_master_folds)
{
	uint64_t last = 0, went_back = 0;
	bool stop = false;
	pthread_t thread;

	pthread_create(&thread, NULL, fold_for_ever, &stop);
	for (int i = 0; i < 20000; i++) {
		uint64_t accepted = counters_total(counters).accepted;

		went_back += accepted < last;
		last = accepted;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_assert_eq(went_back, 0);
}

struct taker {
	struct worker_row *row;
	int64_t taken;
};

static void *
take_permits(void *argument)
{
	struct taker *taker = argument;

	for (int i = 0; i < 100000; i++)
		taker->taken += counters_take_permits(taker->row, 1);
	return NULL;
}

Test(counters, permits_are_neither_lost_nor_made)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1);
	struct taker taker = {.row = row};
	int64_t taken = 0;
	pthread_t thread;

	row->permits = 1000;
	pthread_create(&thread, NULL, take_permits, &taker);
	for (int i = 0; i < 1000; i++) {
		counters_give_permits(row, 10);
		taken += counters_take_permits(row, 3);
	}
	pthread_join(thread, NULL);
	taken += counters_take_permits(row, INT64_MAX);
	cr_assert_eq(row->permits, 0);
	cr_assert_eq(taken + taker.taken, 1000 + 10 * 1000);
	cr_assert_eq(counters_take_permits(row, 5), 0);
}
