#include "master/face/status.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "master/face/recent.h"
#include "tests/unit/master/scene.h"
#include "worker/catalog.h"

enum { KEYS, BUSY, TIME };

static const struct hubbub_metric metrics[] = {
	[KEYS] = {"store_keys", "Keys.", HUBBUB_GAUGE, HUBBUB_ONES, {NULL}},
	[BUSY] = {"store_busy_seconds_total", "Time.", HUBBUB_COUNTER, HUBBUB_SECONDS, {NULL}},
	[TIME] = {"store_seconds", "How long.", HUBBUB_HISTOGRAM, HUBBUB_SECONDS, {NULL}},
	{.name = NULL},
};

static struct scene scene;
static json_t *state;

static void
begin(void)
{
	catalog_add_service(metrics);
	scene_begin(&scene);
}

static void
end(void)
{
	json_decref(state);
	recent_forget();
	scene_end(&scene);
}

TestSuite(status, .init = begin, .fini = end, .timeout = 60);

static void
read_state(void)
{
	char *text = status_json(&scene.master);

	cr_assert_not_null(text);
	json_decref(state);
	/* A name that is there twice is an error. */
	state = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	cr_assert_not_null(state);
}

static const json_t *
hub(void)
{
	const json_t *worker = json_array_get(json_object_get(state, "workers"), 0);

	return json_array_get(json_object_get(worker, "hubs"), 0);
}

static struct worker_row *
row_of(const struct catalog_entry *entry)
{
	return entry->is_server ? counters_server(scene.master.counters) : scene.slot.rows;
}

/* The sum of all counters of that name among the totals. */
static json_int_t
expected_total(const char *name)
{
	json_int_t sum = 0;

	for (unsigned i = 0; i < COUNTED_SINGLE_MAX; i++)
		if (catalog[i].total != NULL && strcmp(catalog[i].total, name) == 0)
			sum += (json_int_t)catalog_count(row_of(&catalog[i]), i);
	return sum;
}

static void
count_some(void)
{
	for (unsigned i = 0; i < COUNTED_SINGLE_MAX; i++)
		row_of(&catalog[i])->counts[catalog[i].place] = 100 + i;
}

Test(status, has_each_total_with_its_value)
{
	const json_t *totals;

	count_some();
	read_state();
	totals = json_object_get(state, "totals");
	for (unsigned i = 0; i < COUNTED_SINGLE_MAX; i++) {
		const char *name = catalog[i].total;

		if (name != NULL)
			cr_assert_eq(json_integer_value(json_object_get(totals, name)),
				expected_total(name), "%s", name);
	}
	cr_assert_eq(json_integer_value(json_object_get(totals, "refused")),
		(json_int_t)(scene.slot.rows->refused_sender + scene.slot.rows->refused_header +
			     scene.slot.rows->refused_tls + scene.slot.rows->refused_peer +
			     scene.slot.rows->refused_memory));
}

Test(status, has_addresses_with_the_names_of_their_listeners)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why;

	cr_assert_eq(address_parse("unix:/run/a", addresses, &why), 1);
	strcpy(addresses->listener, "admin");
	scene.master.sockets.addresses = addresses;
	scene.master.sockets.address_count = 1;
	read_state();
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(state, "addresses"), 0)),
		"admin=unix:/run/a");
}

Test(status, has_a_path_that_is_no_utf_8)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/run/s\xff"};
	struct address address = {.kind = ADDRESS_UNIX, .length = sizeof path};
	const json_t *addresses;

	memcpy(&address.socket, &path, sizeof path);
	scene.master.sockets.addresses = &address;
	scene.master.sockets.address_count = 1;
	read_state();
	addresses = json_object_get(state, "addresses");
	cr_assert_str_eq(json_string_value(json_array_get(addresses, 0)), "unix:/run/s\\xff");
}

Test(status, has_of_each_hub_what_the_table_says)
{
	count_some();
	read_state();
	for (unsigned i = 0; i < COUNTED_SINGLE_MAX; i++) {
		const json_t *value = json_object_get(hub(), catalog[i].metric);

		cr_assert_eq(value != NULL, catalog[i].in_hubs, "%s", catalog[i].metric);
		if (value != NULL)
			cr_assert_eq(json_integer_value(value), 100 + i, "%s", catalog[i].metric);
	}
}

static double
number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	cr_assert_not_null(value, "%s", name);
	return json_number_value(value);
}

/* In seconds, of each hub and in all. */
Test(status, tells_how_long_requests_took)
{
	const json_t *told[2];

	for (int i = 1; i <= 1000; i++)
		buckets_record(&scene.slot.rows->requests, i * 1000000);
	read_state();
	told[0] = json_object_get(hub(), "request_duration_seconds");
	told[1] = json_object_get(json_object_get(state, "totals"), "request_duration_seconds");
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(number(told[i], "count"), 1000);
		cr_assert_float_eq(number(told[i], "sum"), 500.5, 1e-6);
		cr_assert_float_eq(number(told[i], "p50"), .5, .5 / 16);
		cr_assert_float_eq(number(told[i], "p90"), .9, .9 / 16);
		cr_assert_float_eq(number(told[i], "p99"), .99, .99 / 16);
		cr_assert_float_eq(number(told[i], "p999"), .999, .999 / 16);
		cr_assert_eq(number(json_object_get(told[i], "recent"), "count"), 1000);
	}
}

Test(status, has_the_service_s_own_metrics)
{
	uint64_t *counts = scene.slot.rows->counts;
	const json_t *told;

	counts[catalog[COUNTED_MAX + KEYS].place] = (uint64_t)-3;
	counts[catalog[COUNTED_MAX + BUSY].place] = 1500000000;
	buckets_record((struct buckets *)(void *)&counts[catalog[COUNTED_MAX + TIME].place], 16);
	read_state();
	told = json_object_get(state, "metrics");
	cr_assert_eq(json_object_size(told), 3);
	cr_assert_eq(number(told, "store_keys"), -3);
	cr_assert_eq(number(told, "store_busy_seconds_total"), 1.5);
	cr_assert_eq(number(json_object_get(told, "store_seconds"), "count"), 1);
	cr_assert_float_eq(number(json_object_get(told, "store_seconds"), "p999"), 16e-9, 1e-15);
}

Test(status, has_the_former_names_of_renamed_counters)
{
	scene.slot.rows->late = 9;
	read_state();
	cr_assert_eq(json_integer_value(json_object_get(hub(), "stalls_total")), 9);
	cr_assert_eq(json_integer_value(json_object_get(hub(), "late_total")), 9);
}

Test(status, has_what_dead_processes_of_a_hub_have_counted)
{
	scene.slot.rows->accepted = 5;
	counters_fold(scene.master.counters, scene.slot.rows, 1);
	scene.slot.rows = counters_claim(scene.master.counters, 0, 2, 1);
	scene.slot.rows->accepted = 3;
	buckets_record(&scene.slot.rows->requests, 1000);
	read_state();
	cr_assert_eq(json_integer_value(json_object_get(hub(), "accepts_total")), 8);
	cr_assert_eq(number(json_object_get(hub(), "process"), "accepts_total"), 3);
	cr_assert_eq(number(json_object_get(hub(), "process"), "request_duration_seconds"), 1);
}

Test(status, tells_what_processes_use)
{
	const json_t *worker;

	scene.slot.pid = getpid();
	read_state();
	worker = json_array_get(json_object_get(state, "workers"), 0);
	cr_assert_gt(number(worker, "cpu_s"), 0);
	cr_assert_gt(number(worker, "memory_bytes"), 0);
	cr_assert_gt(number(state, "cpu_s"), 0);
	scene.master.fleet.longest_pause = 3 * CLOCK_SECOND / 2;
	read_state();
	cr_assert_eq(number(state, "longest_pause_s"), 1.5);
	worker = json_array_get(json_object_get(state, "workers"), 0);
	scene.slot.pid = 0;
	read_state();
	worker = json_array_get(json_object_get(state, "workers"), 0);
	cr_assert(json_is_null(json_object_get(worker, "cpu_s")));
	cr_assert(json_is_null(json_object_get(worker, "memory_bytes")));
}

static void
ring(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)timer, (void)events;
}

Test(status, tells_when_a_drain_ends)
{
	struct fleet *fleet = &scene.master.fleet;
	struct ev_loop *before = fleet->loop;
	const json_t *worker;

	fleet->loop = ev_loop_new(0);
	ev_timer_init(&scene.generation.deadline, ring, 100, 0);
	fleet->leaving = &scene.generation;
	read_state();
	worker = json_array_get(json_object_get(state, "draining"), 0);
	cr_assert(json_is_null(json_object_get(worker, "ends_in_s")));
	ev_timer_start(fleet->loop, &scene.generation.deadline);
	read_state();
	worker = json_array_get(json_object_get(state, "draining"), 0);
	cr_assert_float_eq(number(worker, "ends_in_s"), 100, 40);
	/* Its workers have been told to end. */
	scene.generation.is_stopped = true;
	read_state();
	worker = json_array_get(json_object_get(state, "draining"), 0);
	cr_assert(json_is_null(json_object_get(worker, "ends_in_s")));
	ev_loop_destroy(fleet->loop);
	fleet->loop = before;
	fleet->leaving = NULL;
}

Test(status, tells_how_uneven_the_hubs_are)
{
	cr_assert_eq(status_imbalance(&scene.master.fleet), 1);
	scene.slot.rows->opened = 4;
	cr_assert_eq(status_imbalance(&scene.master.fleet), 1, "one hub is even with itself");
	cr_assert_eq(status_excess(&scene.master.fleet), 0);
	read_state();
	cr_assert_eq(json_integer_value(json_object_get(state, "connections")), 4);
}

Test(status, has_no_hubs_of_a_worker_without_a_process)
{
	scene.slot.rows = NULL;
	read_state();
	cr_assert_null(hub());
	cr_assert_eq(json_array_size(json_object_get(state, "workers")), 1);
}

Test(status, has_listeners_if_the_service_names_some)
{
	const json_t *told;
	struct listened *admin;

	read_state();
	cr_assert_eq(json_array_size(json_object_get(state, "listeners")), 0);
	scene_end(&scene);
	catalog_add_listener(LISTENED_UNNAMED);
	catalog_add_listener("admin");
	scene_begin(&scene);
	admin = (void *)&scene.slot.rows->counts[catalog_find_listener("admin")];
	*admin = (struct listened){.accepted = 7, .open = 2, .refused = 1, .datagrams = 4};
	read_state();
	told = json_object_get(state, "listeners");
	cr_assert_eq(json_array_size(told), 2);
	told = json_array_get(told, 1);
	cr_assert_str_eq(json_string_value(json_object_get(told, "listener")), "admin");
	cr_assert(json_is_false(json_object_get(told, "listens")), "it has no address");
	cr_assert_eq(number(told, "accepts"), 7);
	cr_assert_eq(number(told, "connections"), 2);
	cr_assert_eq(number(told, "refused"), 1);
	cr_assert_eq(number(told, "datagrams"), 4);
}
