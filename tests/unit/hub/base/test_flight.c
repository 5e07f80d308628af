#include "hub/base/flight.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDS 8
#define SIZE (FLIGHT_HEAD + RECORDS * sizeof(struct flight_record))

static struct flight_ring *ring;
static struct flight flight;

static void
begin(void)
{
	ring = calloc(1, SIZE);
	flight_open(&flight, ring, SIZE);
}

static void
end(void)
{
	free(ring);
}

TestSuite(flight, .init = begin, .fini = end);

static void
put(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		flight_put(&flight, FLIGHT_SENT, 1000 + i, (uint64_t)7 << 32 | 3, i);
}

Test(flight, has_room_for_a_power_of_two)
{
	cr_assert_eq(flight_records(FLIGHT_HEAD), 0);
	cr_assert_eq(flight_records(0), 0);
	cr_assert_eq(flight_records(FLIGHT_HEAD + 32), 1);
	cr_assert_eq(flight_records(FLIGHT_HEAD + 32 * 15), 8);
	cr_assert_eq(flight_records((size_t)1 << 40), 1U << 30);
}

Test(flight, keeps_what_was_put)
{
	struct flight_record record;
	struct flight_event event;

	put(3);
	cr_assert_eq(flight_written(ring), 3);
	cr_assert_eq(flight_read(ring, RECORDS, 2, &record), FLIGHT_FOUND);
	event = flight_event(&record);
	cr_assert_eq(event.number, 2);
	cr_assert_eq(event.kind, FLIGHT_SENT);
	cr_assert_eq(event.time, 1002);
	cr_assert_eq(event.who, 3);
	cr_assert_eq(event.detail, 7);
	cr_assert_eq(event.value, 2);
	cr_assert_eq(flight_read(ring, RECORDS, 3, &record), FLIGHT_NOT_YET);
}

Test(flight, knows_what_was_overwritten)
{
	struct flight_record record;

	put(RECORDS + 2);
	cr_assert_eq(flight_read(ring, RECORDS, 1, &record), FLIGHT_LOST);
	cr_assert_eq(flight_read(ring, RECORDS, 2, &record), FLIGHT_FOUND);
	cr_assert_eq(flight_event(&record).value, 2);
}

Test(flight, goes_on_where_it_was)
{
	struct flight_record record;

	put(3);
	flight_open(&flight, ring, SIZE);
	put(1);
	cr_assert_eq(flight_read(ring, RECORDS, 3, &record), FLIGHT_FOUND);
}

Test(flight, takes_half_a_record_for_none)
{
	struct flight_record record, *at = (void *)((char *)ring + FLIGHT_HEAD);

	put(1);
	at->mark = 0;
	cr_assert_eq(flight_read(ring, RECORDS, 0, &record), FLIGHT_LOST);
}

Test(flight, names)
{
	char text[FLIGHT_NAME_SIZE];
	uint32_t given = flight_name(&flight, NULL, "connection");
	uint32_t unknown = flight_name(&flight, text, NULL);

	cr_assert_eq(flight_name(&flight, NULL, "connection"), given);
	cr_assert_eq(flight_name(&flight, text, NULL), unknown);
	flight_read_name(ring, given, text);
	cr_assert_str_eq(text, "connection");
	flight_read_name(ring, unknown, text);
	cr_assert_eq(strncmp(text, "0x", 2), 0, "%s", text);
	flight_set_name(ring, unknown, "serve");
	flight_read_name(ring, unknown, text);
	cr_assert_str_eq(text, "serve");
	flight_read_name(ring, 77, text);
	cr_assert_str_eq(text, "other");
	flight_read_name(ring, UINT32_MAX, text);
	cr_assert_str_eq(text, "other");
}

Test(flight, counts_names_beyond_its_room_as_other)
{
	char name[16];

	for (unsigned i = 0; i < FLIGHT_NAMES; i++) {
		snprintf(name, sizeof name, "peer %u", i);
		flight_name(&flight, NULL, name);
	}
	cr_assert_eq(flight_name(&flight, NULL, name), FLIGHT_OTHER);
}

Test(flight, texts)
{
	struct flight_record record;

	flight_put_text(&flight, 5, 0, "a line that is longer than one record", 37);
	cr_assert_eq(flight_written(ring), 3);
	flight_read(ring, RECORDS, 0, &record);
	cr_assert_eq(flight_event(&record).kind, FLIGHT_LOG);
	cr_assert_eq(flight_event(&record).value, 37);
	flight_read(ring, RECORDS, 2, &record);
	cr_assert_eq(flight_event(&record).kind, FLIGHT_TEXT);
	cr_assert_eq(memcmp(&record.time, "an one record", 13), 0);
}
