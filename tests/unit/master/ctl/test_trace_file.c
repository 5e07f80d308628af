#include "master/ctl/trace_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#define RECORDS 64

static struct flight_record records[RECORDS];
static struct track track = {.pid = 7, .records = records};
static struct track *items[] = {&track};
static struct tracks tracks = {.items = items, .count = 1};
static char *text;
static size_t size;

static void
add(enum flight_kind kind, int64_t time, uint32_t who, uint32_t detail, uint64_t value)
{
	records[track.count] = (struct flight_record){
		(track.count + 1) << 8 | kind, (uint64_t)time, (uint64_t)detail << 32 | who, value};
	track.count++;
}

static struct trace_file
write_all(uint64_t limit)
{
	struct trace_file file = {.limit = limit, .end = 9000};

	strcpy(track.names[FLIGHT_LOOP], "loop");
	strcpy(track.names[FLIGHT_GIVEN], "serve");
	strcpy(track.names[FLIGHT_GIVEN + 1], "recv");
	file.stream = open_memstream(&text, &size);
	cr_assert_eq(trace_file_write(&file, &tracks), 0);
	fclose(file.stream);
	return file;
}

/* Events of that phase. */
static size_t
count(const char *phase)
{
	json_t *file = json_loadb(text, size, 0, NULL), *event;
	size_t found = 0, i;

	cr_assert_not_null(file, "%s", text);
	json_array_foreach(json_object_get(file, "traceEvents"), i, event) found +=
		strcmp(json_string_value(json_object_get(event, "ph")), phase) == 0;
	json_decref(file);
	return found;
}

/* A coroutine is woken in a poll, runs, receives and waits again. */
static void
add_request(int64_t time)
{
	add(FLIGHT_POLL, time, 0, 1, 0);
	add(FLIGHT_WAKE, time + 500, 3, 0, 0);
	add(FLIGHT_POLLED, time + 600, 0, 0, 1);
	add(FLIGHT_SWITCH, time + 700, 3, FLIGHT_DIRECT << 16 | FLIGHT_GIVEN, 0);
	add(FLIGHT_RECEIVED, time + 800, 3, 12, 64);
	add(FLIGHT_SWITCH, time + 900, 0, (FLIGHT_GIVEN + 1) << 16 | FLIGHT_LOOP, 12 << 1 | 1);
}

Test(trace_file, has_slices_named_by_coroutine_and_connection_and_whole_flows)
{
	add_request(1000);
	write_all(1 << 20);
	cr_assert_eq(count("s"), 1);
	cr_assert_eq(count("f"), 1);
	cr_assert_eq(count("X"), 3);
	cr_assert_not_null(
		strstr(text, "\"ts\":1.700,\"dur\":0.200,\"name\":\"serve fd 12\""), "%s", text);
	cr_assert_not_null(strstr(text, "\"until\":\"recv\",\"on\":\"fd 12\""));
}

Test(trace_file, what_has_not_ended_ends_with_the_trace)
{
	add(FLIGHT_SWITCH, 1000, 3, FLIGHT_GIVEN, 0);
	write_all(1 << 20);
	cr_assert_not_null(strstr(text, "\"dur\":8.000,\"name\":\"serve\""), "%s", text);
	cr_assert_not_null(strstr(text, "\"until\":\"not yet\""));
}

Test(trace_file, nothing_is_guessed_across_a_gap)
{
	add(FLIGHT_SWITCH, 1000, 3, FLIGHT_GIVEN, 0);
	add(FLIGHT_POLL, 2000, 0, 1, 0);
	records[1].mark += 5 << 8;
	write_all(1 << 20);
	cr_assert_eq(count("X"), 1);
}

Test(trace_file, is_whole_within_its_limit)
{
	struct trace_file file;

	for (unsigned i = 0; i < 10; i++)
		add_request(1000 + 1000 * i);
	file = write_all(3000);
	cr_assert(file.is_cut);
	cr_assert_leq(size, 3000);
	cr_assert_eq(count("s"), count("f"));
}

Test(trace_file, texts_that_are_no_json)
{
	add(FLIGHT_LOG, 1000, 0, 1, 5);
	add(FLIGHT_TEXT, 0, 0, 0, 0);
	memcpy(&records[1].time, "\"a\\b\n", 5);
	write_all(1 << 20);
	cr_assert_eq(count("i"), 1);
	cr_assert_not_null(strstr(text, "\\\"a\\\\b?"), "%s", text);
}

Test(trace_file, says_that_a_disk_is_full)
{
	struct trace_file file = {.stream = fopen("/dev/full", "we"), .limit = 1 << 20};

	add_request(1000);
	cr_assert_eq(trace_file_write(&file, &tracks), -1);
	cr_assert_eq(errno, ENOSPC);
	fclose(file.stream);
}
