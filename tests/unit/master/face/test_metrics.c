#include "master/face/metrics.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/master/scene.h"
#include "worker/catalog.h"

enum { DURATIONS, KEYS, LOOKUPS, SIZES };

static const struct hubbub_metric metrics[] = {
	/* Behind Hubbub's own of the same name. */
	[DURATIONS] = {"request_duration_seconds", "Of another prefix.", HUBBUB_HISTOGRAM,
		HUBBUB_SECONDS, {NULL}},
	[KEYS] = {"store_keys", "Keys.", HUBBUB_GAUGE, HUBBUB_ONES, {NULL}},
	[LOOKUPS] = {"stalls_total", "Of no hub.", HUBBUB_COUNTER, HUBBUB_ONES, {NULL}},
	[SIZES] = {"store_bytes", "Sizes.", HUBBUB_HISTOGRAM, HUBBUB_ONES, {NULL}},
	{.name = NULL},
};

static struct scene scene;
static char *text;

static void
begin(void)
{
	catalog_add_service(metrics);
	scene_begin(&scene);
}

static uint64_t *
count_of(unsigned metric)
{
	return &scene.slot.rows->counts[catalog[COUNTED_MAX + metric].place];
}

static void
end(void)
{
	free(text);
	scene_end(&scene);
}

TestSuite(metrics, .init = begin, .fini = end, .timeout = 60);

static void
write_text(void)
{
	size_t length;

	free(text);
	text = metrics_text(&scene.master, &length);
	cr_assert_not_null(text);
	cr_assert_eq(strlen(text), length);
}

/* How many lines begin so. */
static unsigned __attribute__((format(printf, 1, 2))) count_lines(const char *format, ...)
{
	char start[512];
	unsigned count = 0;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(start, sizeof start, format, arguments);
	va_end(arguments);
	for (const char *line = text; line != NULL && *line != '\0';) {
		count += strncmp(line, start, strlen(start)) == 0;
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return count;
}

/* The line of a counter, up to its value. */
static void
name_line(char *line, size_t size, const struct catalog_entry *entry)
{
	if (entry->is_server)
		snprintf(line, size, "hubbub_%s ", entry->metric);
	else if (entry->label == NULL)
		snprintf(line, size, "hubbub_%s{worker=\"0\",hub=\"0\"} ", entry->metric);
	else
		snprintf(line, size, "hubbub_%s{worker=\"0\",hub=\"0\",kind=\"%s\"} ",
			entry->metric, entry->label);
}

Test(metrics, has_each_counter_once_with_its_value)
{
	char line[256];

	for (unsigned i = 0; i < COUNTED_SINGLE_MAX; i++) {
		struct worker_row *row = catalog[i].is_server
						 ? counters_server(scene.master.counters)
						 : scene.slot.rows;

		row->counts[catalog[i].place] = (uint64_t)catalog[i].unit * (100 + i);
	}
	write_text();
	for (unsigned i = 0; i < COUNTED_SINGLE_MAX; i++) {
		name_line(line, sizeof line, &catalog[i]);
		cr_assert_eq(count_lines("%s", line), 1, "%s", line);
		cr_assert_eq(count_lines("%s%u\n", line, 100 + i), 1, "%s", line);
	}
}

Test(metrics, has_the_former_names_of_renamed_counters)
{
	scene.slot.rows->late = 5;
	scene.slot.rows->handed = 7;
	write_text();
	cr_assert_eq(count_lines("hubbub_stalls_total{worker=\"0\",hub=\"0\"} 5\n"), 1);
	cr_assert_eq(count_lines("hubbub_late_total{worker=\"0\",hub=\"0\"} 5\n"), 1);
	cr_assert_eq(count_lines("# TYPE hubbub_late_total counter\n"), 1);
	cr_assert_eq(count_lines("# HELP hubbub_late_total The former name of "
				 "hubbub_stalls_total.\n"),
		1);
	cr_assert_eq(count_lines("hubbub_handed_off_total{worker=\"0\",hub=\"0\"} 7\n"), 1);
	cr_assert_eq(count_lines("hubbub_handed_total{worker=\"0\",hub=\"0\"} 7\n"), 1);
}

Test(metrics, says_once_of_each_counter_what_it_is)
{
	write_text();
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const char *metric = catalog[i].metric;

		cr_assert_eq(count_lines("# HELP hubbub_%s ", metric), 1, "%s", metric);
		cr_assert_eq(count_lines("# TYPE hubbub_%s %s\n", metric,
				     catalog[i].kind == CATALOG_HISTOGRAM ? "histogram"
				     : catalog[i].kind == CATALOG_COUNTER ? "counter"
									  : "gauge"),
			1, "%s", metric);
		if (catalog[i].help != NULL)
			cr_assert_eq(
				count_lines("# HELP hubbub_%s %s\n", metric, catalog[i].help), 1);
	}
}

/* Each bucket has all that is at or below its bound, and the last one is the count. */
Test(metrics, has_a_histogram_of_requests_in_seconds)
{
	static const int64_t durations[] = {0, 1024, 1025, 2048, 900000000, 80000000000};

	for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
		buckets_record(&scene.slot.rows->requests, durations[i]);
	write_text();
#define REQUESTS "hubbub_request_duration_seconds"
#define BUCKET REQUESTS "_bucket{worker=\"0\",hub=\"0\",le="
	cr_assert_eq(count_lines("# TYPE " REQUESTS " histogram\n"), 1);
	cr_assert_eq(count_lines(BUCKET "\"1.024e-06\"} 2\n"), 1);
	cr_assert_eq(count_lines(BUCKET "\"2.048e-06\"} 4\n"), 1);
	cr_assert_eq(count_lines(BUCKET "\"0.536870912\"} 4\n"), 1);
	cr_assert_eq(count_lines(BUCKET "\"1.073741824\"} 5\n"), 1);
	cr_assert_eq(count_lines(BUCKET "\"68.719476736\"} 5\n"), 1);
	cr_assert_eq(count_lines(BUCKET "\"+Inf\"} 6\n"), 1);
	cr_assert_eq(count_lines(BUCKET), 28);
	cr_assert_eq(count_lines(REQUESTS "_count{worker=\"0\",hub=\"0\"} 6\n"), 1);
	cr_assert_eq(count_lines(REQUESTS "_sum{worker=\"0\",hub=\"0\"} 80.900004097\n"), 1);
}

Test(metrics, has_the_service_s_own_by_their_names)
{
	*count_of(KEYS) = (uint64_t)-3;
	*count_of(LOOKUPS) = 5;
	scene.slot.rows->late = 9;
	buckets_record((struct buckets *)(void *)count_of(SIZES), 64);
	write_text();
	cr_assert_eq(count_lines("# HELP store_keys Keys.\n# TYPE store_keys gauge\n"), 1);
	cr_assert_eq(count_lines("store_keys{worker=\"0\",hub=\"0\"} -3\n"), 1);
	cr_assert_eq(count_lines("# TYPE request_duration_seconds histogram\n"), 1);
	cr_assert_eq(count_lines("request_duration_seconds_bucket{"), 28);
	cr_assert_eq(count_lines("# TYPE stalls_total counter\n"), 1);
	cr_assert_eq(count_lines("stalls_total{worker=\"0\",hub=\"0\"} 5\n"), 1);
	cr_assert_eq(count_lines("hubbub_stalls_total{worker=\"0\",hub=\"0\"} 9\n"), 1);
	cr_assert_eq(count_lines("late_total"), 0, "it has no former name");
	cr_assert_eq(count_lines("store_bytes_bucket{worker=\"0\",hub=\"0\",le=\"32\"} 0\n"), 1);
	cr_assert_eq(count_lines("store_bytes_bucket{worker=\"0\",hub=\"0\",le=\"64\"} 1\n"), 1);
	cr_assert_eq(count_lines("store_bytes_bucket{"), 32);
	cr_assert_eq(count_lines("store_bytes_sum{worker=\"0\",hub=\"0\"} 64\n"), 1);
}

Test(metrics, has_what_dead_processes_of_a_hub_have_counted)
{
	scene.slot.rows->accepted = 5;
	counters_fold(scene.master.counters, scene.slot.rows, 1);
	scene.slot.rows = counters_claim(scene.master.counters, 0, 2, 1);
	scene.slot.rows->accepted = 3;
	write_text();
	cr_assert_eq(count_lines("hubbub_accepts_total{worker=\"0\",hub=\"0\"} 8\n"), 1);
}

Test(metrics, has_what_is_open_and_what_is_so_of_who_sits)
{
	scene.slot.rows->opened = 7;
	scene.slot.rows->closed = 3;
	scene.slot.rows->permits = 11;
	scene.occupant.queued = 2;
	scene.master.sockets.backlog = 3;
	scene.master.fleet.longest_pause = 3 * CLOCK_SECOND / 2;
	write_text();
	cr_assert_eq(count_lines("hubbub_backlog 3\n"), 1);
	cr_assert_eq(count_lines("hubbub_master_pause_seconds 1.5\n"), 1);
	cr_assert_eq(count_lines("hubbub_imbalance_connections 0\n"), 1);
	cr_assert_eq(count_lines("hubbub_connections{worker=\"0\",hub=\"0\"} 4\n"), 1);
	cr_assert_eq(count_lines("hubbub_permits{worker=\"0\",hub=\"0\"} 11\n"), 1);
	cr_assert_eq(count_lines("hubbub_accept_queue{worker=\"0\",hub=\"0\"} 2\n"), 1);
	cr_assert_eq(count_lines("hubbub_ready 1\n"), 1);
	cr_assert_eq(count_lines("hubbub_stopping 0\n"), 1);
	scene.master.phase = MASTER_DELAYING;
	write_text();
	cr_assert_eq(count_lines("hubbub_ready 0\n"), 1);
	cr_assert_eq(count_lines("hubbub_stopping 1\n"), 1);
	scene.master.phase = MASTER_SERVING;
	scene.occupant.slot = NULL;
	write_text();
	cr_assert_eq(count_lines("hubbub_permits{"), 0);
	cr_assert_eq(count_lines("hubbub_ready 0\n"), 1);
}

/* A single wrong line, and Prometheus drops the whole page. */
Test(metrics, the_programs_own_texts_are_labels_whatever_they_are)
{
	static const struct hubbub_service odd = {
		.name = "a \"service\"", .version = "1.0\\beta\n\"2\""};

	scene.master.service = &odd;
	write_text();
	cr_assert_not_null(strstr(text, "\nhubbub_build_info{service=\"a \\\"service\\\"\","
					"version=\"1.0\\\\beta \\\"2\\\"\",hubbub=\""),
		"%s", strstr(text, "build_info{"));
}

/* ---- listeners ---- */

Test(metrics, have_listeners_if_the_service_names_some)
{
	struct listened *admin;

	write_text();
	cr_assert_eq(count_lines("# TYPE hubbub_listener_"), 0);
	scene_end(&scene);
	catalog_add_listener(LISTENED_UNNAMED);
	catalog_add_listener("admin");
	catalog_add_listener("b");
	scene_begin(&scene);
	admin = (void *)&scene.slot.rows->counts[catalog_find_listener("admin")];
	*admin = (struct listened){.accepted = 7, .open = 2, .refused = 1, .datagrams = 4};
	write_text();
	cr_assert_eq(count_lines("# TYPE hubbub_listener_"), LISTENED_MAX);
	cr_assert_eq(count_lines("# HELP hubbub_listener_"), LISTENED_MAX);
	cr_assert_eq(count_lines("hubbub_listener_"), 3 * LISTENED_MAX);
	cr_assert_eq(count_lines("# TYPE hubbub_listener_accepts_total counter\n"), 1);
	cr_assert_eq(count_lines("# TYPE hubbub_listener_connections gauge\n"), 1);
	cr_assert_eq(count_lines("hubbub_listener_accepts_total{listener=\"admin\"} 7\n"), 1);
	cr_assert_eq(count_lines("hubbub_listener_accepts_total{listener=\"-\"} 0\n"), 1);
	cr_assert_eq(count_lines("hubbub_listener_connections{listener=\"admin\"} 2\n"), 1);
	cr_assert_eq(count_lines("hubbub_listener_refused_total{listener=\"admin\"} 1\n"), 1);
	cr_assert_eq(count_lines("hubbub_listener_datagrams_total{listener=\"admin\"} 4\n"), 1);
	cr_assert_eq(count_lines("store_keys{"), 1, "the service's metrics are as before");
}
