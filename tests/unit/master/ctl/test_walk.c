#include "master/ctl/walk.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "master/ctl/summary.h"
#include "master/ctl/trace_file.h"

static struct flight_record records[8];
static struct track track = {.records = records};

static void
add(unsigned kind, int64_t time)
{
	records[track.count] =
		(struct flight_record){(track.count + 1) << 8 | kind, (uint64_t)time, 3, 5};
	track.count++;
}

/* How many events there are up to clock 1000, and how many gaps. */
static void
expect(unsigned events, unsigned gaps)
{
	struct flight_event event;
	struct walk walk;
	unsigned found = 0, behind = 0;

	walk_begin(&walk, &track, 1000);
	for (; walk_next(&walk, &event); found++)
		behind += walk.is_behind_gap;
	cr_assert_eq(found, events);
	cr_assert_eq(behind, gaps);
}

Test(walk, goes_through_all)
{
	add(FLIGHT_POLL, 10);
	add(FLIGHT_LOG, 10);
	add(FLIGHT_TEXT, -1);
	add(FLIGHT_POLLED, 1000);
	expect(4, 0);
}

Test(walk, says_what_is_missing)
{
	add(FLIGHT_POLL, 10);
	add(FLIGHT_POLLED, 20);
	records[1].mark += 7 << 8;
	expect(2, 1);
}

Test(walk, leaves_out_what_cannot_be)
{
	add(FLIGHT_POLL, 10);
	add(FLIGHT_POLLED, 9);
	add(FLIGHT_POLLED, 1001);
	add(FLIGHT_POLLED, INT64_MIN);
	add(FLIGHT_NONE, 20);
	add(FLIGHT_KINDS, 20);
	add(0xff, 20);
	add(FLIGHT_POLLED, 30);
	expect(2, 1);
}

Test(walk, of_a_dead_process_ends_with_it)
{
	track.died = 20;
	add(FLIGHT_POLL, 10);
	add(FLIGHT_POLL, 30);
	expect(1, 0);
}

/* ---- rings that a mad worker has overwritten ---- */

static uint64_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 16;
}

/* Slices follow each other on each track, and each flow has both ends. */
static void
check_file(const char *text, size_t size)
{
	json_error_t error;
	json_t *file = json_loadb(text, size, 0, &error), *event;
	double ends = 0;
	size_t i, flows = 0;

	cr_assert_not_null(file, "%s: %.*s", error.text, 200,
		error.position > 100 ? text + error.position - 100 : text);
	json_array_foreach(json_object_get(file, "traceEvents"), i, event)
	{
		const char *phase = json_string_value(json_object_get(event, "ph"));
		double at = json_number_value(json_object_get(event, "ts"));

		flows += *phase == 's' || *phase == 'f';
		if (*phase != 'X')
			continue;
		cr_assert_geq(at, ends - 0.01);
		ends = at + json_number_value(json_object_get(event, "dur"));
		cr_assert_geq(ends, at);
	}
	cr_assert_eq(flows % 2, 0);
	json_decref(file);
}

/* A ring with requests, of which some bytes, or all, are then overwritten, is read and written. */
static void
read_nonsense(uint64_t seed, bool is_all)
{
	struct recorders *recorders = recorders_new((size_t)64 * 1024);
	struct flight_ring *ring = recorders_map(recorders, recorders_claim(recorders, 1), 1);
	size_t whole = recorders_head(recorders)->ring_size, size;
	struct tracks tracks = {.most = 100000};
	struct trace_file file = {.limit = 1 << 24};
	uint64_t *words = (uint64_t *)(void *)ring;
	struct flight flight;
	json_t *summary;
	char *text;

	flight_open(&flight, ring, whole);
	for (unsigned i = 0; i < 3000; i++)
		flight_put(&flight, i % (FLIGHT_KINDS - 1) + 1, (uint64_t)clock_now(),
			(uint64_t)(5 + i % 3) << 32 | (i % 7), i % 100);
	for (size_t i = 0; i < whole / sizeof *words; i++)
		if (is_all || next_random(&seed) % 40 == 0)
			words[i] = next_random(&seed) % 4 == 0 ? ~next_random(&seed)
							       : next_random(&seed);
	cr_assert_null(tracks_add(&tracks, recorders_reader(recorders), true));
	for (unsigned i = 0; i < 3; i++) {
		cr_assert(tracks_read(&tracks));
		words[0] = next_random(&seed) << (seed % 20);
	}
	file.end = clock_now();
	file.stream = open_memstream(&text, &size);
	cr_assert_eq(trace_file_write(&file, &tracks), 0);
	fclose(file.stream);
	summary = summary_of(&tracks, file.end);
	cr_assert_not_null(summary);
	check_file(text, size);
	free(text);
	json_decref(summary);
	tracks_free(&tracks);
	recorders_unmap(recorders, ring, 1);
	recorders_free(recorders);
}

Test(walk, survives_nonsense)
{
	for (uint64_t seed = 1; seed <= 30; seed++)
		read_nonsense(seed, seed % 10 == 0);
}
