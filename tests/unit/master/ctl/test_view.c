#include "master/ctl/view.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(view, .timeout = 60);

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
	json_t *state = server_of(3, 1, 0);
	json_t *hubs =
		json_object_get(json_array_get(json_object_get(state, "workers"), 0), "hubs");

	cr_assert_eq(view_imbalance(state), 1.5);
	json_array_remove(hubs, 1);
	cr_assert_eq(view_imbalance(state), 0);
	json_decref(state);
}

/* What has been counted, since there is nothing to compare it with. */
Test(view, has_numbers_of_all_time)
{
	const char *text = printed(json_pack("{s:[{s:i, s:i, s:s, s:[{s:i, s:f, s:{s:i}}]}]}",
		"workers", "worker", 3, "pid", 4711, "state", "ready", "hubs", "connections", 2,
		"busy", .25, "process", "accepts_total", 1234));

	cr_assert_not_null(
		strstr(text, "\n\n"
			     "WORKER PID     STATE        HUB  CONNS    NEW  QUEUE  BUSY  "
			     "LAG ms     IN    OUT\n"
			     "     3 4711    ready          0      2   1.2k      0   25%     "
			     "0.0      0      0\n"),
		"%s", text);
}
