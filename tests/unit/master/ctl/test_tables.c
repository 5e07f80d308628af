#include "master/ctl/tables.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *state, *before;
static char line[256];
static struct tables_lines lines;

/* Hub 1 of worker 2, which is that process, has served so many requests, and its predecessors
 * 1000; the whole server twice as many. */
static json_t *
state_of(int pid, int count)
{
	const char *recent = "{s:i, s:f, s:f, s:f, s:f}";
	json_t *own = json_pack(
		recent, "count", count, "p50", 350e-9, "p90", .0012, "p99", .35, "p999", 12.);
	json_t *all = json_pack(
		recent, "count", 2 * count, "p50", 1e-6, "p90", .01, "p99", 1., "p999", 9999.);

	return json_pack("{s:{s:{s:i, s:o}}, s:[{s:i, s:i, s:[{s:i, s:{s:i, s:o}, s:{s:i}}]}]}",
		"totals", "request_duration_seconds", "count", 2 * count, "recent", all, "workers",
		"worker", 2, "pid", pid, "hubs", "hub", 1, "request_duration_seconds", "count",
		1000 + count, "recent", own, "process", "request_duration_seconds", count);
}

static void
begin(void)
{
	before = state_of(7, 100);
	state = state_of(7, 160);
	cr_assert_not_null(before);
	cr_assert_not_null(state);
}

static void
end(void)
{
	tables_free(&lines);
	json_decref(before);
	json_decref(state);
}

TestSuite(tables, .init = begin, .fini = end, .timeout = 60);

static size_t
collect(unsigned kind, const json_t *former, double seconds)
{
	tables_free(&lines);
	tables[kind].collect(&lines, state, former, seconds);
	return lines.count;
}

/* Returns the line of that index, on a screen of that width; 0: without rates. */
static const char *
written(unsigned kind, size_t index, int width)
{
	const struct table *table = &tables[kind].table;

	cr_assert_lt(index, lines.count);
	table_write(line, sizeof line, table,
		width > 0 ? table_fit(table, width) : table_all(table), &lines.each[index]);
	return line;
}

/* ---- requests ---- */

Test(tables, have_requests_of_a_hub_and_of_all)
{
	cr_assert_eq(collect(TABLES_REQUESTS, before, 2), 2);
	cr_assert_str_eq(written(TABLES_REQUESTS, 0, 100),
		"     2     1      1.2k     30  350 ns  1.2 ms  350 ms    12 s");
	cr_assert_str_eq(written(TABLES_REQUESTS, 1, 100),
		"   all             320     60  1.0 us   10 ms   1.0 s  9999 s");
	/* A hub without a predecessor in the state before has no rate yet. */
	json_decref(before);
	before = state_of(6, 100);
	collect(TABLES_REQUESTS, before, 2);
	cr_assert_str_eq(written(TABLES_REQUESTS, 0, 100),
		"     2     1      1.2k      -  350 ns  1.2 ms  350 ms    12 s");
	collect(TABLES_REQUESTS, NULL, 1);
	cr_assert_str_eq(written(TABLES_REQUESTS, 1, 100),
		"   all             320      -  1.0 us   10 ms   1.0 s  9999 s");
	collect(TABLES_REQUESTS, NULL, 0);
	cr_assert_str_eq(written(TABLES_REQUESTS, 1, 0),
		"   all             320  1.0 us   10 ms   1.0 s  9999 s");
}

/* A state of a release that has none, and one in which none was served. */
Test(tables, have_no_requests_where_there_are_none)
{
	json_decref(state);
	state = json_pack("{s:{}}", "totals");
	cr_assert_eq(collect(TABLES_REQUESTS, before, 1), 0);
	json_decref(state);
	state = state_of(7, 0);
	cr_assert_eq(collect(TABLES_REQUESTS, before, 1), 0);
}

/* ---- hubs ---- */

static json_t *
hub_of(int pid, int accepted, int connections)
{
	return json_pack("{s:i, s:i, s:s, s:[{s:i, s:i, s:i, s:b, s:f, s:f, s:{s:i, s:i, s:i}}]}",
		"worker", 0, "pid", pid, "state", "draining", "hubs", "hub", 1, "connections",
		connections, "queue", 2, "hung", accepted == 0, "busy", .5, "lag_ms", 1.25,
		"process", "accepts_total", accepted, "received_bytes_total", 2 * accepted,
		"sent_bytes_total", 3000 * accepted);
}

/* It was among the workers before, in another place. */
Test(tables, have_the_rates_of_a_hub_that_drains)
{
	json_t *worker = json_array_get(json_object_get(before, "workers"), 0);

	json_array_append(json_object_get(before, "workers"), worker);
	json_array_append_new(json_object_get(before, "workers"), hub_of(9, 100, 7));
	json_object_set_new(state, "draining", json_array());
	json_array_append_new(json_object_get(state, "draining"), hub_of(9, 120, 5));
	cr_assert_eq(collect(TABLES_HUBS, before, 2), 2);
	cr_assert_str_eq(written(TABLES_HUBS, 1, 100),
		"     0 9       draining       1      5     10      2   50%     1.2     20  30.0k");
}

/* Another server may have come to the same address. */
Test(tables, have_no_rates_below_zero)
{
	json_object_set_new(before, "draining", json_array());
	json_array_append_new(json_object_get(before, "draining"), hub_of(9, 200, 7));
	json_object_set_new(state, "draining", json_array());
	json_array_append_new(json_object_get(state, "draining"), hub_of(9, 0, 5));
	collect(TABLES_HUBS, before, 2);
	cr_assert_str_eq(written(TABLES_HUBS, 1, 100),
		"     0 9       hung           1      5      -      2   50%     1.2      -      -");
}

Test(tables, have_a_line_of_a_worker_that_is_down)
{
	json_t *worker = json_pack(
		"{s:i, s:i, s:s, s:[]}", "worker", 3, "pid", 0, "state", "backing off", "hubs");

	json_array_append_new(json_object_get(state, "workers"), worker);
	cr_assert_eq(collect(TABLES_HUBS, before, 1), 2);
	cr_assert_str_eq(written(TABLES_HUBS, 1, 100),
		"     3 -       backing off    -      -      -      -     -       -      -      -");
}

/* All of them at 80 columns. */
Test(tables, of_hubs_fit_screens)
{
	const struct table *table = &tables[TABLES_HUBS].table;

	table_heading(line, sizeof line, table, table_fit(table, 80));
	cr_assert_str_eq(line,
		"WORKER PID     STATE        HUB  CONNS  NEW/s  QUEUE  BUSY  LAG ms   IN/s  OUT/s");
	cr_assert_eq(strlen(line), 80);
	table_heading(line, sizeof line, table, table_fit(table, 40));
	cr_assert_str_eq(line, "WORKER STATE        HUB  CONNS  BUSY +6");
}

/* ---- metrics, listeners ---- */

static void
set_metric(const char *name, json_t *value)
{
	json_object_set_new(state, "metrics", json_pack("{s:o}", name, value));
	cr_assert_eq(collect(TABLES_METRICS, NULL, 1), 1);
}

Test(tables, have_metrics_of_the_service)
{
	const char *format = "{s:i, s:{s:i, s:f, s:f, s:f, s:f}}";

	set_metric("store_keys", json_integer(-3));
	cr_assert_str_eq(
		written(TABLES_METRICS, 0, 100), "store_keys                            -3");
	set_metric("store_sizes", json_pack(format, "count", 7, "recent", "count", 7, "p50", 12.,
					  "p90", 4000., "p99", 5e6, "p999", 5e6));
	cr_assert_str_eq(written(TABLES_METRICS, 0, 100),
		"store_sizes                            7      12    4.0k    5.0M    5.0M");
	/* Of times the name ends so. */
	set_metric("per_seconds_sizes", json_pack(format, "count", 7, "recent", "count", 7, "p50",
						12., "p90", 4000., "p99", 5e6, "p999", 5e6));
	cr_assert_str_eq(written(TABLES_METRICS, 0, 100),
		"per_seconds_sizes                      7      12    4.0k    5.0M    5.0M");
	set_metric("store_seconds", json_pack("{s:i, s:{s:i}}", "count", 7, "recent", "count", 0));
	cr_assert_str_eq(written(TABLES_METRICS, 0, 100),
		"store_seconds                          7       -       -       -       -");
	/* A screen has room for a part of the name; status has it whole. */
	set_metric("store_a_name_that_is_longer_than_its_column", json_integer(1));
	cr_assert_str_eq(
		written(TABLES_METRICS, 0, 100), "store_a_name_that_is_longer_than~      1");
	cr_assert_str_eq(written(TABLES_METRICS, 0, 0),
		"store_a_name_that_is_longer_than_its_column      1");
}

static json_t *
listener(const char *name, bool listens, int accepts)
{
	return json_pack("{s:s, s:b, s:i, s:i, s:i}", "listener", name, "listens", listens,
		"connections", 2, "accepts", accepts, "refused", 1);
}

/* Neither of a former release, nor where the totals are the one listener's. */
Test(tables, have_listeners_where_several_are_in_use)
{
	json_t *all = json_array();

	cr_assert_eq(collect(TABLES_LISTENERS, NULL, 0), 0);
	json_object_set_new(state, "listeners", all);
	json_array_append_new(all, listener("-", true, 0));
	json_array_append_new(all, listener("idle", false, 0));
	cr_assert_eq(collect(TABLES_LISTENERS, NULL, 0), 0);
	json_array_append_new(all, listener("admin", false, 70));
	cr_assert_eq(collect(TABLES_LISTENERS, NULL, 0), 2);
	cr_assert_str_eq(written(TABLES_LISTENERS, 1, 0),
		"admin                         2        70        1          0");
}
