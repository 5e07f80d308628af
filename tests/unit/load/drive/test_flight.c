#include <criterion/criterion.h>

#include "tests/load/drive/flight.h"

static struct flights flights;

static void
setup(void)
{
	flights_init(&flights);
}

static void
teardown(void)
{
	flights_free(&flights);
}

TestSuite(flight, .init = setup, .fini = teardown);

Test(flight, what_is_pushed_first_comes_first)
{
	struct fifo due = {0}, flying = {0};

	for (uint32_t i = 0; i < 5000; i++)
		cr_assert(flights_push(&flights, &due, i, i + 1));
	for (uint32_t i = 0; i < 5000; i++) {
		cr_assert_eq(flights.items[due.first].intended, i);
		flights_move(&flights, &due, &flying);
	}
	cr_assert_eq(due.count, 0);
	for (uint32_t i = 0; i < 5000; i++) {
		cr_assert_eq(flights.items[flying.first].length, i + 1);
		flights_pop(&flights, &flying);
	}
	cr_assert_eq(flying.count, 0);
}

Test(flight, records_are_used_again)
{
	struct fifo fifo = {0};

	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < 10; i++)
			cr_assert(flights_push(&flights, &fifo, i, 1));
		flights_clear(&flights, &fifo);
	}
	cr_assert_eq(flights.used, 10);
}

Test(flight, there_is_an_end_to_how_many)
{
	struct fifo fifo = {0};
	uint32_t count = 0;

	while (flights_push(&flights, &fifo, 0, 1))
		count++;
	cr_assert_eq(count, FLIGHTS_MAX);
	cr_assert_eq(fifo.count, count);
	flights_pop(&flights, &fifo);
	cr_assert(flights_push(&flights, &fifo, 0, 1));
	cr_assert_not(flights_push(&flights, &fifo, 0, 1));
}
