#include "master/ctl/summary.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "hub/base/clock.h"

#define FD 12
#define ON(fd) ((fd) << 1 | 1)

enum { SERVE = FLIGHT_GIVEN, RECV, LOCK };

static struct flight_record records[64];
static struct track track = {.pid = 7, .worker = 1, .hub = 2, .records = records};
static struct track *items[] = {&track};
static const struct tracks tracks = {.items = items, .count = 1};
static json_t *summary;

/* At that many seconds. */
static void
add(enum flight_kind kind, int64_t seconds, uint32_t who, uint32_t detail, uint64_t value)
{
	records[track.count] = (struct flight_record){(track.count + 1) << 8 | kind,
		(uint64_t)(seconds * CLOCK_SECOND), (uint64_t)detail << 32 | who, value};
	track.count++;
}

static void
begin(void)
{
	strcpy(track.names[FLIGHT_OTHER], "other");
	strcpy(track.names[FLIGHT_LOOP], "loop");
	strcpy(track.names[SERVE], "serve");
	strcpy(track.names[RECV], "recv");
	strcpy(track.names[LOCK], "lock");
}

static void
end(void)
{
	json_decref(summary);
}

TestSuite(summary, .init = begin, .fini = end);

static void
sum_up(void)
{
	summary = summary_of(&tracks, 100 * CLOCK_SECOND);
	cr_assert_not_null(summary);
}

static const json_t *
coroutine(const char *name)
{
	const json_t *object;
	size_t i;

	json_array_foreach(json_object_get(summary, "coroutines"), i,
		object) if (strcmp(json_string_value(json_object_get(object, "name")), name) ==
			    0) return object;
	return NULL;
}

static const json_t *
request(size_t index)
{
	return json_array_get(json_object_get(summary, "requests"), index);
}

static void
expect(const json_t *object, const char *key, double value)
{
	double is = json_number_value(json_object_get(object, key));

	cr_assert_lt(fabs(is - value), 1e-6, "%s is %g, not %g", key, is, value);
}

/* Of the waits for that word. */
static void
expect_wait(const json_t *object, const char *word, double times, double seconds)
{
	const json_t *wait;
	size_t i;

	json_array_foreach(json_object_get(object, "waits"), i, wait)
	{
		if (strcmp(json_string_value(json_object_get(wait, "for")), word) != 0)
			continue;
		expect(wait, "times", times);
		expect(wait, "seconds", seconds);
		return;
	}
	cr_assert_fail("no wait for %s", word);
}

static void
add_switch(int64_t seconds, uint32_t to, uint32_t why, uint64_t on)
{
	add(FLIGHT_SWITCH, seconds, to, why << 16 | (to == 0 ? FLIGHT_LOOP : SERVE), on);
}

/* Bytes come at 10, are received at 13, a lock is waited for from 15 to 20, and got at 22; the
 * answer is sent at 25, and the coroutine waits again from 26. */
static void
add_request(void)
{
	add(FLIGHT_POLL, 5, 0, 1, 0);
	add(FLIGHT_POLLED, 10, 0, 0, 0);
	add(FLIGHT_WAKE, 10, 3, 0, 0);
	add_switch(12, 3, FLIGHT_DIRECT, 0);
	add(FLIGHT_RECEIVED, 13, 3, FD, 64);
	add_switch(15, 0, LOCK, 4096);
	add(FLIGHT_WAKE, 20, 3, 0, 0);
	add_switch(22, 3, FLIGHT_DIRECT, 0);
	add(FLIGHT_SENT, 25, 3, FD, 64);
	add_switch(26, 0, RECV, ON(FD));
}

static void
add_first_wait(void)
{
	add_switch(1, 3, FLIGHT_DIRECT, 0);
	add_switch(2, 0, RECV, ON(FD));
}

Test(summary, tells_where_the_time_of_coroutines_went)
{
	add_first_wait();
	add_request();
	sum_up();
	expect(summary, "hubs", 1);
	expect(summary, "seconds", 99);
	expect(summary, "idle", 5);
	expect(coroutine("serve"), "runs", 3);
	expect(coroutine("serve"), "running", 1 + 3 + 4);
	expect(coroutine("serve"), "queued", 2 + 2);
	expect(coroutine("serve"), "waiting", 8 + 5 + 74);
	expect_wait(coroutine("serve"), "recv", 2, 8 + 74);
	expect_wait(coroutine("serve"), "lock", 1, 5);
	expect(coroutine("loop"), "running", 3 + 2 + 7 + 74);
}

Test(summary, tells_where_the_time_of_a_request_went)
{
	add_first_wait();
	add_request();
	sum_up();
	cr_assert_null(request(1));
	expect(request(0), "worker", 1);
	expect(request(0), "hub", 2);
	expect(request(0), "fd", FD);
	expect(request(0), "began", 9);
	expect(request(0), "seconds", 15);
	expect(request(0), "queued", 2 + 2);
	expect(request(0), "running", 3 + 3);
	expect(request(0), "waiting", 5);
	expect_wait(request(0), "lock", 1, 5);
	cr_assert(json_is_true(json_object_get(request(0), "answered")));
}

Test(summary, a_request_without_an_answer_counts_unless_its_client_is_waited_for)
{
	add_first_wait();
	add(FLIGHT_WAKE, 10, 3, 0, 0);
	add_switch(10, 3, FLIGHT_DIRECT, 0);
	add(FLIGHT_RECEIVED, 10, 3, FD, 64);
	add_switch(12, 0, LOCK, 4096);
	add(FLIGHT_WAKE, 13, 4, 0, 0);
	add_switch(13, 4, FLIGHT_DIRECT, 0);
	add(FLIGHT_RECEIVED, 14, 4, FD + 1, 64);
	add_switch(14, 0, RECV, ON(FD + 1));
	sum_up();
	cr_assert_null(request(1));
	expect(request(0), "seconds", 90);
	cr_assert(json_is_false(json_object_get(request(0), "answered")));
	expect_wait(request(0), "lock", 1, 88);
}

Test(summary, bytes_of_another_connection_are_part_of_the_request)
{
	add_switch(1, 3, FLIGHT_DIRECT, 0);
	add(FLIGHT_RECEIVED, 2, 3, FD, 64);
	add(FLIGHT_SENT, 3, 3, FD + 1, 64);
	add(FLIGHT_RECEIVED, 4, 3, FD + 1, 64);
	add(FLIGHT_SENT, 5, 3, FD, 64);
	add(FLIGHT_RECEIVED, 7, 3, FD, 64);
	add(FLIGHT_SENT, 9, 3, FD, 64);
	sum_up();
	expect(request(0), "seconds", 3);
	expect(request(0), "running", 3);
	expect(request(1), "seconds", 2);
	expect(request(1), "running", 2);
	cr_assert_null(request(2));
}

Test(summary, has_the_slowest_of_many)
{
	for (unsigned i = 0; i < 12; i++) {
		uint32_t who = 3 + i;

		add_switch(2 * i + 1, who, FLIGHT_DIRECT, 0);
		add(FLIGHT_RECEIVED, 2 * i + 1, who, FD + i, 1);
		add(FLIGHT_SENT, 2 * i + (i % 2) + 1, who, FD + i, 1);
		add_switch(2 * i + 2, 0, FLIGHT_RETURN, 0);
	}
	sum_up();
	cr_assert_eq(json_array_size(json_object_get(summary, "requests")), SUMMARY_REQUESTS);
	expect(request(5), "seconds", 1);
	expect(request(6), "seconds", 0);
}

Test(summary, nothing_is_guessed_across_a_gap)
{
	add_switch(1, 3, FLIGHT_DIRECT, 0);
	add(FLIGHT_RECEIVED, 2, 3, FD, 64);
	add(FLIGHT_SENT, 50, 3, FD, 64);
	records[2].mark += 5 << 8;
	sum_up();
	cr_assert_null(request(0));
	cr_assert_null(coroutine("serve"));
}
