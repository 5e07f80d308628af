#include "master/face/status.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "tests/unit/master/scene.h"
#include "worker/catalog.h"

static struct scene scene;
static json_t *state;

static void
begin(void)
{
	scene_begin(&scene);
}

static void
end(void)
{
	json_decref(state);
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

	for (unsigned i = 0; i < COUNTED_MAX; i++)
		if (catalog[i].total != NULL && strcmp(catalog[i].total, name) == 0)
			sum += (json_int_t)catalog_count(row_of(&catalog[i]), i);
	return sum;
}

static void
count_some(void)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++)
		row_of(&catalog[i])->counts[catalog[i].place] = 100 + i;
}

Test(status, has_each_total_with_its_value)
{
	const json_t *totals;

	count_some();
	read_state();
	totals = json_object_get(state, "totals");
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const char *name = catalog[i].total;

		if (name != NULL)
			cr_assert_eq(json_integer_value(json_object_get(totals, name)),
				expected_total(name), "%s", name);
	}
	cr_assert_eq(json_integer_value(json_object_get(totals, "refused")),
		(json_int_t)(scene.slot.rows->refused_sender + scene.slot.rows->refused_header +
			     scene.slot.rows->refused_tls));
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
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const json_t *value = json_object_get(hub(), catalog[i].metric);

		cr_assert_eq(value != NULL, catalog[i].in_hubs, "%s", catalog[i].metric);
		if (value != NULL)
			cr_assert_eq(json_integer_value(value), 100 + i, "%s", catalog[i].metric);
	}
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
	read_state();
	cr_assert_eq(json_integer_value(json_object_get(hub(), "accepts_total")), 8);
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
