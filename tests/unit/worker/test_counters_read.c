#include "worker/counters.h"

#include <criterion/criterion.h>

#include "tests/unit/worker/shared.h"
#include "worker/hub_sums.h"

TestSuite(counters_read, .init = shared_begin, .fini = shared_end, .timeout = 60);

Test(counters_read, the_flow_is_that_of_all_processes_living_and_dead)
{
	struct worker_row *dead = counters_claim(counters, 0, 1, 2), *living;
	uint64_t accepted, closed;

	dead->accepted = dead->opened = 5;
	dead->closed = 2;
	counters_fold(counters, dead, 2);
	living = counters_claim(counters, 1, 1, 1);
	living->accepted = living->opened = 4;
	living->closed = 1;
	counters_flow(counters, &accepted, &closed);
	cr_assert_eq(accepted, 9);
	cr_assert_eq(closed, 6, "those of the dead have ended");
	cr_assert_eq(accepted, counters_total(counters).accepted);
	cr_assert_eq(closed, counters_total(counters).closed);
}

Test(counters_read, sums_of_hubs_add_up_to_the_total)
{
	struct hub_sums sums;
	uint64_t accepted = 0;

	for (unsigned worker = 0; worker < 5; worker++)
		counters_claim(counters, worker, 1, 2)->accepted = 10 + worker;
	cr_assert_eq(counters_sum_hubs(counters, &sums), 0);
	for (unsigned i = 0; i < sums.count; i++)
		accepted += sums.rows[i].accepted;
	cr_assert_eq(sums.count, 10);
	cr_assert_eq(accepted, counters_total(counters).accepted);
	hub_sums_fini(&sums);
}
