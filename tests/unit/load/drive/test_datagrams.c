/* Replies in datagrams that were made up: lost, late, overtaken and doubled. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/drive/datagrams.h"
#include "tests/load/drive/driver.h"
#include "tests/load/drive/message.h"

#define SIZE 64
#define TIMEOUT CLOCK_SECOND

static struct load load;
static struct requests requests;
static struct driver driver;
static struct connection connection;

static void
begin(void)
{
	memset(&load, 0, sizeof load);
	memset(&driver, 0, sizeof driver);
	memset(&connection, 0, sizeof connection);
	load.is_open = load.is_datagrams = true;
	load.requests = &requests;
	load.timeout = TIMEOUT;
	driver.load = &load;
	driver.row = calloc(1, sizeof *driver.row);
	cr_assert_not_null(driver.row);
	driver.end = INT64_MAX;
	flights_init(&driver.flights);
	connection.driver = &driver;
	connection.number = driver_number(&driver);
	connection.due.first = connection.flying.first = FLIGHT_NONE;
	message_setup(1, MESSAGE_RAW, MESSAGE_FULL, NULL);
}

static void
end(void)
{
	flights_free(&driver.flights);
	free(driver.row);
}

TestSuite(datagrams, .init = begin, .fini = end);

/* Sends so many more, at a time. */
static void
launch(unsigned count, int64_t now)
{
	for (unsigned i = 0; i < count; i++) {
		cr_assert(flights_push(&driver.flights, &connection.flying, now, SIZE));
		driver.flights.items[connection.flying.last].sent = now;
		driver.row->tally.in_flight++;
	}
}

static void
answer(uint64_t sequence, int64_t now)
{
	const struct message message = {connection.number, sequence, SIZE, 0};
	char bytes[SIZE];

	message_write(&message, 0, bytes, SIZE);
	datagrams_take(&connection, bytes, SIZE, now);
}

static void
expect(uint64_t received, uint64_t timeouts, uint64_t duplicates)
{
	const struct tally *tally = &driver.row->tally;

	cr_assert_eq(tally->received, received);
	cr_assert_eq(tally->timeouts, timeouts);
	for (int i = 0; i < MESSAGE_FAULT_MAX; i++)
		cr_assert_eq(tally->faults[i], i == MESSAGE_DUPLICATE ? duplicates : 0, "%s: %llu",
			message_fault_names[i], (unsigned long long)tally->faults[i]);
}

Test(datagrams, a_doubled_one_is_a_duplicate_wherever_it_comes)
{
	launch(4, 1);
	answer(0, 2);
	answer(0, 3);
	expect(1, 0, 1);
	/* One that overtook another, which is still awaited. */
	answer(2, 4);
	answer(2, 5);
	expect(2, 0, 2);
	answer(1, 6);
	answer(3, 7);
	answer(2, 8);
	expect(4, 0, 3);
}

Test(datagrams, a_doubled_one_is_a_duplicate_also_after_others_were_lost)
{
	launch(1, 1);
	datagrams_check(&connection, 1 + TIMEOUT);
	expect(0, 1, 0);
	launch(1, 2 + TIMEOUT);
	answer(1, 3 + TIMEOUT);
	answer(1, 4 + TIMEOUT);
	expect(1, 1, 1);
}

Test(datagrams, a_late_one_is_none_and_only_once)
{
	launch(2, 1);
	datagrams_check(&connection, 1 + TIMEOUT);
	expect(0, 2, 0);
	answer(1, 2 + TIMEOUT);
	answer(0, 3 + TIMEOUT);
	expect(0, 2, 0);
	answer(0, 4 + TIMEOUT);
	expect(0, 2, 1);
}

Test(datagrams, a_late_one_is_known_after_many_others)
{
	launch(1, 1);
	datagrams_check(&connection, 1 + TIMEOUT);
	for (uint64_t i = 1; i <= 1000; i++) {
		launch(1, 2 + TIMEOUT);
		answer(i, 3 + TIMEOUT);
	}
	answer(0, 4 + TIMEOUT);
	expect(1000, 1, 0);
	answer(0, 5 + TIMEOUT);
	expect(1000, 1, 1);
	answer(999, 6 + TIMEOUT);
	expect(1000, 1, 2);
}
