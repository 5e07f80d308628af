#include "master/ctl/view.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *state, *before;
static char line[256];

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
	json_decref(before);
	json_decref(state);
}

TestSuite(view, .init = begin, .fini = end, .timeout = 60);

Test(view, has_requests_of_a_hub_and_of_all)
{
	const json_t *worker = json_array_get(json_object_get(state, "workers"), 0);
	const json_t *hub = json_array_get(json_object_get(worker, "hubs"), 0);

	view_requests(line, sizeof line, worker, hub, state, before, 2);
	cr_assert_str_eq(line, "     2     1      1.2k     30  350 ns  1.2 ms  350 ms    12 s");
	view_requests(line, sizeof line, NULL, NULL, state, before, 2);
	cr_assert_str_eq(line, "   all             320     60  1.0 us   10 ms   1.0 s  9999 s");
	/* After a reload: the former process's requests are not the new one's. */
	json_decref(before);
	before = state_of(6, 100);
	view_requests(line, sizeof line, worker, hub, state, before, 2);
	cr_assert_str_eq(line, "     2     1      1.2k      -  350 ns  1.2 ms  350 ms    12 s");
	view_requests(line, sizeof line, NULL, NULL, state, NULL, 0);
	cr_assert_str_eq(line, "   all             320      -  1.0 us   10 ms   1.0 s  9999 s");
}

/* A state of a release that has none. */
Test(view, has_no_requests_where_there_are_none)
{
	json_t *former = json_pack("{s:{}}", "totals"), *none = state_of(7, 0);

	cr_assert(view_has_requests(state));
	cr_assert_not(view_has_requests(former));
	cr_assert_not(view_has_requests(none));
	view_requests(line, sizeof line, NULL, NULL, former, before, 1);
	cr_assert_not_null(strstr(line, "  -       -       -       -"), "%s", line);
	json_decref(former);
	json_decref(none);
}

Test(view, has_metrics_of_the_service)
{
	json_t *keys = json_integer(-3), *sizes, *times;

	view_metric(line, sizeof line, "store_keys", keys);
	cr_assert_str_eq(line, "store_keys                            -3");
	sizes = json_pack("{s:i, s:{s:i, s:f, s:f, s:f, s:f}}", "count", 7, "recent", "count", 7,
		"p50", 12., "p90", 4000., "p99", 5e6, "p999", 5e6);
	view_metric(line, sizeof line, "store_sizes", sizes);
	cr_assert_str_eq(
		line, "store_sizes                            7      12    4.0k    5.0M    5.0M");
	/* Of times the name ends so. */
	view_metric(line, sizeof line, "per_seconds_sizes", sizes);
	cr_assert_str_eq(
		line, "per_seconds_sizes                      7      12    4.0k    5.0M    5.0M");
	times = json_pack("{s:i, s:{s:i}}", "count", 7, "recent", "count", 0);
	view_metric(line, sizeof line, "store_seconds", times);
	cr_assert_str_eq(
		line, "store_seconds                          7       -       -       -       -");
	json_decref(keys);
	json_decref(sizes);
	json_decref(times);
}

/* ---- the head ---- */

/* A server of two hubs, with so many connections on each, and others on a process that drains. */
static json_t *
server_of(int first, int second, int reloads)
{
	return json_pack("{s:i, s:i, s:f, s:{s:i, s:i}, s:[{s:[{s:i}, {s:i}]}], s:[{s:[{s:i}]}]}",
		"connections", first + second + 3, "max_connections", 100, "imbalance", 1.5,
		"totals", "reloads", reloads, "respawns", reloads, "workers", "hubs", "connections",
		first, "connections", second, "draining", "hubs", "connections", 3);
}

static const char *
printed(json_t *server)
{
	static char text[2048];
	FILE *stream = fmemopen(text, sizeof text, "w");

	view_print(stream, server);
	fclose(stream);
	json_decref(server);
	return text;
}

Test(view, has_an_imbalance_only_where_there_are_connections)
{
	const char *text = printed(server_of(3, 1, 1));

	cr_assert_not_null(strstr(text, "\n7 connections of 100, most on one hub 1.50 times the "
					"mean; 0 accepted, 1 worker replaced, 0 hangs, 1 reload, "
					"0 upgrades\n"),
		"%s", text);
	/* Those of a process that drains are none of the hubs' that serve. */
	text = printed(server_of(0, 0, 2));
	cr_assert_not_null(strstr(text, "\n3 connections of 100; 0 accepted, 2 workers replaced, "
					"0 hangs, 2 reloads, 0 upgrades\n"),
		"%s", text);
}

Test(view, has_no_imbalance_of_one_hub)
{
	json_t *worker = json_array_get(json_object_get(state, "workers"), 0);
	json_t *hub = json_array_get(json_object_get(worker, "hubs"), 0);

	json_object_set_new(state, "imbalance", json_real(1));
	json_object_set_new(hub, "connections", json_integer(5));
	cr_assert_eq(view_imbalance(state), 0);
	json_array_append(json_object_get(worker, "hubs"), hub);
	cr_assert_eq(view_imbalance(state), 1);
}

static json_t *
listener(const char *name, bool listens, int accepts)
{
	return json_pack("{s:s, s:b, s:i, s:i, s:i}", "listener", name, "listens", listens,
		"connections", 2, "accepts", accepts, "refused", 1);
}

/* Neither of a former release, nor where the totals are the one listener's. */
Test(view, has_listeners_where_several_are_in_use)
{
	json_t *all = json_array();

	cr_assert_not(view_listener(line, sizeof line, state, 0));
	json_object_set_new(state, "listeners", all);
	json_array_append_new(all, listener("-", true, 0));
	json_array_append_new(all, listener("idle", false, 0));
	cr_assert_not(view_listener(line, sizeof line, state, 0));
	json_array_append_new(all, listener("admin", false, 70));
	cr_assert(view_listener(line, sizeof line, state, 1));
	cr_assert_str_eq(
		line, "admin                                2        70        1          0");
	cr_assert_eq(strlen(line), strlen(view_listeners_heading));
	cr_assert_not(view_listener(line, sizeof line, state, 2));
}
