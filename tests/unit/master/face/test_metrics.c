#include "master/face/metrics.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/master/scene.h"
#include "worker/catalog.h"

static struct scene scene;
static char *text;

static void
begin(void)
{
	scene_begin(&scene);
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

	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		struct worker_row *row = catalog[i].is_server
						 ? counters_server(scene.master.counters)
						 : scene.slot.rows;

		row->counts[catalog[i].place] = (uint64_t)catalog[i].unit * (100 + i);
	}
	write_text();
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
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
				     catalog[i].kind == CATALOG_COUNTER ? "counter" : "gauge"),
			1, "%s", metric);
		if (catalog[i].help != NULL)
			cr_assert_eq(
				count_lines("# HELP hubbub_%s %s\n", metric, catalog[i].help), 1);
	}
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
	write_text();
	cr_assert_eq(count_lines("hubbub_backlog 3\n"), 1);
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
